"""A connection over a real socket, served by Twisted's own transport, in a synchronous test."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from twisted.internet.error import ConnectionDone
from twisted.internet.tcp import Server
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from twisted.internet.task import Clock

SMALL = 8 * 1024


class HandDriven:
    """As much of a reactor as a transport needs; what is due is done when a test says so."""

    def __init__(self, clock: Clock) -> None:
        self.readers: set[Any] = set()
        self.writers: set[Any] = set()
        self.addReader = self.readers.add
        self.removeReader = self.readers.discard
        self.addWriter = self.writers.add
        self.removeWriter = self.writers.discard
        self.callLater = clock.callLater
        self.seconds = clock.seconds


class Wire:
    """A client and its server, whose socket takes little before the client reads.

    :param site: what serves it.
    """

    def __init__(self, site: Any, clock: Clock) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._client = socket.socket()
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
            self._client.connect(listener.getsockname())
            accepted, address = listener.accept()
        self._client.setblocking(False)
        accepted.setblocking(False)
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        self._reactor = HandDriven(clock)
        self.protocol = site.buildProtocol(None)
        self._server: Any = Server(accepted, self.protocol, address, None, 0, self._reactor)  # type: ignore[arg-type]
        self.protocol.makeConnection(self._server)

    def send(self, data: bytes) -> None:
        """Have some bytes arrive at the server."""
        self.protocol.dataReceived(data)

    @property
    def producer(self) -> object:
        """What the server's socket tells when it takes more."""
        return self._server.producer

    def work(self) -> None:
        """Let the server write as much as its socket takes."""
        while self._server in self._reactor.writers:
            before = self._sent()
            self._server.doWrite()
            if self._sent() == before and self._server in self._reactor.writers:
                return

    def _sent(self) -> int:
        left: int = len(self._server.dataBuffer) - self._server.offset
        return -left - sum(map(len, self._server._tempDataBuffer))

    def read(self, most: int = 1 << 30) -> bytes:
        """What the client can read, of what the server can write meanwhile."""
        received = b""
        while len(received) < most:
            self.work()
            try:
                data = self._client.recv(min(SMALL, most - len(received)))
            except BlockingIOError:
                break
            if not data:
                break
            received += data
        return received

    def close(self) -> None:
        """Lose the connection."""
        if self._server.connected:
            self._server.connectionLost(Failure(ConnectionDone()))
        self._client.close()
