"""A response without an end: what is left of a connection once only bytes go out.

Parser, channel and request have done their work when the head of such a response is
sent.  They are let go, and this small object takes their place as the transport's
protocol; so a connection that mostly waits costs little more than its socket.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.interfaces import IProtocol
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.python.failure import Failure

    from chatter.httpd.connections import Connections
    from chatter.httpd.output import SocketOutput


class StreamOwner(Protocol):
    """What writes to a stream."""

    def stream_paused(self) -> None:
        """Hear that not all that was written has been sent."""

    def stream_resumed(self) -> None:
        """Hear that all that was written has been sent."""

    def stream_lost(self) -> None:
        """Hear that the connection is lost."""


@implementer(IProtocol)
class Stream:
    """The protocol of a connection whose response has begun and does not end.

    What the client sends from now on is not read.

    :ivar deadline: when the site is to call :meth:`time_out`.
    """

    __slots__ = ("_connections", "_output", "_owner", "deadline", "transport")

    def __init__(
        self,
        connections: Connections,
        transport: Any,
        output: SocketOutput,
        owner: StreamOwner,
    ) -> None:
        self._connections = connections
        self.transport = transport
        self.deadline = inf
        self._output = output
        self._owner = owner

    @property
    def held(self) -> int:
        """How many bytes are left to be sent."""
        return self._output.waiting

    @property
    def paused(self) -> bool:
        """Whether something is left to be sent; nothing should be written then."""
        return self._output.paused

    @property
    def send(self) -> Callable[[bytes], int]:
        """Has the socket take some bytes, as ``SocketOutput.send`` does."""
        return self._output.send

    def write(self, data: bytes) -> None:
        """Send bytes, after all before them."""
        self._output.write(data)

    def keep_rest(self, data: bytes, sent: int) -> None:
        """Send later what the socket did not take of it."""
        self._output.keep_rest(data, sent)

    def close(self) -> None:
        """End the response once all has been sent."""
        self.transport.loseConnection()

    def abort(self) -> None:
        """Close the connection at once, whatever is left to be sent."""
        self.transport.abortConnection()

    # As the transport's protocol

    def makeConnection(self, transport: Any) -> None:
        """Do nothing: the connection was made long ago."""

    def connectionMade(self) -> None:
        """Do nothing: the connection was made long ago."""

    def dataReceived(self, data: bytes) -> None:
        """Forget what the client sends."""

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002
        """End."""
        self._output.lost()
        self._owner.stream_lost()
        self._connections.lost(self)

    # As the output's owner

    def output_paused(self) -> None:
        """Give the client some time to take what is left."""
        self._connections.note_held(self._output.waiting)
        self.deadline = self._connections.now + self._connections.limits.stall
        self._owner.stream_paused()

    def output_progressed(self) -> None:
        """Give the client more time."""
        self.deadline = self._connections.now + self._connections.limits.stall

    def output_resumed(self) -> None:
        """Go on."""
        self.deadline = inf
        self._owner.stream_resumed()

    # As one of the site's connections

    def time_out(self) -> None:
        """Cut off a client that takes nothing."""
        self.transport.abortConnection()

    def make_room(self) -> None:
        """Stay: a stream is in use."""

    def relieve(self) -> None:
        """End: too much is held for all connections together."""
        self.abort()

    def drain(self) -> None:
        """Close: the client comes back by itself."""
        self.close()
