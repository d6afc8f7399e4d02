"""The least that a server on Twisted can do: send the same bytes each time, whatever comes.

``python bare_protocol.py PORT``.  It shows what of a request is the reactor's and the
kernel's, and so below anything that HTTP and the chat could save.
"""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

from twisted.internet import reactor
from twisted.internet.protocol import Factory, Protocol

from chatter.httpd.input import WatchedSockets, input_for

if TYPE_CHECKING:
    from socket import socket

BODY = b'{"messages":[],"cursor":123456,"more":false}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: bare\r\nDate: Thu, 01 Jan 2026 12:00:00 GMT\r\n"
    b"Content-Type: application/json\r\nCache-Control: no-store\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)

sockets = WatchedSockets()


class Bare(Protocol):
    """Answers whatever is asked."""

    transport: Any

    def connectionMade(self) -> None:  # noqa: N802
        self.transport.setTcpNoDelay(True)
        self.socket: socket = self.transport.getHandle()
        self.input = input_for(self.transport, sockets)

    def connectionLost(self, reason: object) -> None:  # noqa: ARG002, N802
        self.input.lost()

    def dataReceived(self, data: bytes) -> None:  # noqa: ARG002, N802
        self.socket.send(ANSWER)


reactor.listenTCP(int(sys.argv[1]), Factory.forProtocol(Bare), interface="127.0.0.1")
gc.collect()
gc.freeze()
reactor.run()
