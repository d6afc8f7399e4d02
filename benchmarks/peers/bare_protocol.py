"""The least that Twisted with llhttp can do: parse, and send the same bytes each time.

``python bare_protocol.py PORT``.  It shows what of a request is the reactor's, the parser's
and the kernel's, and so below anything that chatter could save.
"""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

import httptools
from twisted.internet import reactor
from twisted.internet.protocol import Factory, Protocol

if TYPE_CHECKING:
    from socket import socket

BODY = b'{"messages":[],"cursor":123456,"more":false}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: bare\r\nDate: Thu, 01 Jan 2026 12:00:00 GMT\r\n"
    b"Content-Type: application/json\r\nCache-Control: no-store\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)


class Bare(Protocol):
    """Answers whatever is asked."""

    transport: Any

    def connectionMade(self) -> None:  # noqa: N802
        self.transport.setTcpNoDelay(True)
        self.socket: socket = self.transport.getHandle()
        self.parser = httptools.HttpRequestParser(self)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        self.parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        pass

    def on_message_complete(self) -> None:
        self.socket.send(ANSWER)


reactor.listenTCP(int(sys.argv[1]), Factory.forProtocol(Bare), interface="127.0.0.1")
gc.collect()
gc.freeze()
reactor.run()
