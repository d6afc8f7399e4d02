"""Bytes out: at once where the socket takes them, and told when none are left.

A write through Twisted's transport waits for the next turn of the reactor, and
costs two more system calls for it.  Nearly always the socket takes all of it right
away; only what it does not take is left to the transport.  And because the rest is
given to the transport in slices, one after the other, it is known whether a client
still takes something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.interfaces import IPullProducer, IPushProducer, ISSLTransport
from twisted.internet.tcp import Connection
from zope.interface import implementer

if TYPE_CHECKING:
    import socket

SLICE = 64 * 1024
"""So many bytes the transport gets at a time."""


class Owner(Protocol):
    """Who writes to an output."""

    def output_paused(self) -> None:
        """Hear that not all has been sent."""

    def output_progressed(self) -> None:
        """Hear that some more has been sent."""

    def output_resumed(self) -> None:
        """Hear that all has been sent."""


@implementer(IPullProducer)
class SocketOutput:
    """Writes to the socket of a TCP or UNIX connection.

    :ivar paused: whether something is left to be sent.
    """

    __slots__ = (
        "_asked_at_once",
        "_offset",
        "_rest",
        "_socket",
        "_transport",
        "_waiting",
        "owner",
        "paused",
    )

    def __init__(self, transport: Connection, owner: Owner) -> None:
        self.paused = False
        self._transport = transport
        self._socket: socket.socket = transport.getHandle()
        self.owner = owner
        self._rest = b""
        self._offset = 0
        self._waiting: list[bytes] = []
        self._asked_at_once = False

    def write(self, data: bytes) -> None:
        """Send some bytes, after all before them."""
        if self.paused:
            self._waiting.append(data)
            return
        try:
            sent = self._socket.send(data)
        except OSError:
            # Not now, or never again; the transport finds out which.
            sent = 0
        if sent != len(data):
            self._leave(data[sent:])

    def _leave(self, rest: bytes) -> None:
        self.paused = True
        self._rest = rest
        self._offset = 0
        # A pull producer is asked at once, and then whenever all has been sent.
        self._asked_at_once = True
        self._transport.registerProducer(self, False)
        self._asked_at_once = False
        self._write_slice()
        self.owner.output_paused()

    def _write_slice(self) -> None:
        end = self._offset + SLICE
        self._transport.write(self._rest[self._offset : end])
        self._offset = end

    def resumeProducing(self) -> None:
        """Go on with the rest, when the transport has sent what it had."""
        if self._asked_at_once:
            return
        if self._offset >= len(self._rest):
            self._rest, self._offset = b"".join(self._waiting), 0
            self._waiting.clear()
        if self._rest:
            self._write_slice()
            self.owner.output_progressed()
            return
        self._transport.unregisterProducer()
        self.paused = False
        self.owner.output_resumed()

    def stopProducing(self) -> None:
        """Forget the rest: the connection is lost."""
        self._rest = b""
        self._waiting.clear()


@implementer(IPushProducer)
class TransportOutput:
    """Writes to any other transport (TLS, memory), which tells of large rests only.

    :ivar paused: whether much is left to be sent.
    """

    __slots__ = ("_transport", "owner", "paused")

    def __init__(self, transport: Any, owner: Owner) -> None:
        self.paused = False
        self._transport = transport
        self.owner = owner
        transport.registerProducer(self, True)

    def write(self, data: bytes) -> None:
        """Send some bytes, after all before them."""
        self._transport.write(data)

    def pauseProducing(self) -> None:
        """Hear that much is left."""
        if not self.paused:
            self.paused = True
            self.owner.output_paused()

    def resumeProducing(self) -> None:
        """Hear that nothing is left."""
        if self.paused:
            self.paused = False
            self.owner.output_resumed()

    def stopProducing(self) -> None:
        """Do nothing: the connection is lost, and its protocol hears of it."""


def output_for(transport: Any, owner: Owner) -> SocketOutput | TransportOutput:
    """The output that fits a transport."""
    if isinstance(transport, Connection) and not ISSLTransport.providedBy(transport):
        return SocketOutput(transport, owner)
    return TransportOutput(transport, owner)
