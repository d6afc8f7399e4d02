"""Bytes out: at once if the socket takes them; the owner is notified when none are left.

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
    from collections.abc import Callable

    from chatter.httpd.outbox import Outbox

SLICE = 64 * 1024
"""So many bytes the transport gets at a time."""


class Owner(Protocol):
    """What writes to an output."""

    def output_paused(self) -> None:
        """Hear that not all has been sent."""

    def output_progressed(self) -> None:
        """Hear that some more has been sent."""

    def output_resumed(self) -> None:
        """Hear that all has been sent."""


class _NoOwner:
    """Whose connection is lost."""

    def output_paused(self) -> None:
        """Do nothing."""

    def output_progressed(self) -> None:
        """Do nothing."""

    def output_resumed(self) -> None:
        """Do nothing."""


_NO_OWNER: Owner = _NoOwner()


@implementer(IPullProducer)
class SocketOutput:
    """Writes to the socket of a TCP or UNIX connection.

    :ivar paused: whether something is left to be sent.
    """

    __slots__ = (
        "_gathered",
        "_offset",
        "_outbox",
        "_rest",
        "_socket",
        "_transport",
        "_waiting",
        "_when_sent",
        "owner",
        "paused",
    )

    def __init__(self, transport: Connection, owner: Owner, outbox: Outbox) -> None:
        self.paused = False
        self.owner = owner
        self._outbox = outbox
        self._gathered = b""
        self._transport = transport
        self._socket: socket.socket = transport.getHandle()
        self._rest = b""
        self._offset = 0
        self._waiting: list[bytes] = []
        self._when_sent: Callable[[], None] | None = None

    def write(self, data: bytes) -> None:
        """Send some bytes, after all before them."""
        if self.paused:
            self._waiting.append(data)
        else:
            self._gathered += data
            self.send_gathered()

    def write_soon(self, data: bytes) -> None:
        """Send some bytes, after all before them; with those of others, if there are many."""
        if self.paused or self._gathered or not self._outbox.gathers:
            self.write(data)
        else:
            self._gathered = data
            self._outbox.add(self)

    def send_gathered(self) -> None:
        """Send now what was to be sent soon."""
        data, self._gathered = self._gathered, b""
        if not data:
            return
        try:
            sent = self._socket.send(data)
        except OSError:
            # Not now, or never again; the transport finds out which.
            sent = 0
        if sent != len(data):
            self.keep_rest(data, sent)

    @property
    def send(self) -> Callable[[bytes], int]:
        """Has the socket take some bytes, and returns how many it took.

        For code that writes the same bytes to many, while :attr:`paused` is not set and nothing
        is to be sent soon.  What the socket does not take has to be given to
        :meth:`keep_rest`; that is all of it if this raises ``OSError``.
        """
        return self._socket.send

    @property
    def waiting(self) -> int:
        """How many bytes are left to be sent."""
        return len(self._rest) - self._offset + sum(map(len, self._waiting))

    def keep_rest(self, data: bytes, sent: int) -> None:
        """Send, when the socket takes it, what it did not take yet."""
        self.paused = True
        self._rest, self._offset = data[sent:], 0
        self.owner.output_paused()
        # A pull producer is resumed at once, and then whenever all has been sent.
        self._transport.registerProducer(self, False)

    def resumeProducing(self) -> None:
        """Go on with the rest, when the transport has sent what it had."""
        if self._offset >= len(self._rest):
            self._rest, self._offset = b"".join(self._waiting), 0
            self._waiting.clear()
        if self._rest:
            end = self._offset + SLICE
            self._transport.write(self._rest[self._offset : end])
            self._offset = end
            self.owner.output_progressed()
            return
        self._transport.unregisterProducer()
        self.paused = False
        if self._when_sent is not None:
            self._when_sent()
        self.owner.output_resumed()

    def stopProducing(self) -> None:
        """Forget the rest: the connection is lost."""
        self._rest = b""
        self._waiting.clear()

    def close(self) -> None:
        """Close the connection once all has been sent."""
        self._once_sent(self._transport.loseConnection)

    def end(self) -> None:
        """Send nothing more once all has been sent, but let the client end first."""
        self._once_sent(self._transport.loseWriteConnection)

    def lost(self) -> None:
        """Let go of the owner, or what is lost would stay until the garbage is collected."""
        self.owner = _NO_OWNER
        self._gathered = b""

    def cut_off(self) -> None:
        """Let go of a client, whatever it has not taken."""
        self._transport.abortConnection()

    def _once_sent(self, act: Callable[[], None]) -> None:
        self.send_gathered()
        if self.paused:
            self._when_sent = act
        else:
            act()


@implementer(IPushProducer)
class TransportOutput:
    """Writes to any other transport (TLS, memory), which pauses only if much is left.

    :ivar paused: whether much is left to be sent.
    """

    __slots__ = ("_blocked", "_closing", "_left", "_transport", "_waiting", "owner", "paused")

    def __init__(self, transport: Any, owner: Owner) -> None:
        self.paused = False
        self.owner = owner
        self._blocked = False
        self._closing = False
        self._left = False
        self._transport = transport
        self._waiting: list[bytes] = []
        transport.registerProducer(self, True)

    def write(self, data: bytes) -> None:
        """Send some bytes, after all before them."""
        if self.paused:
            self._waiting.append(data)
        else:
            self._hand_over(data)

    write_soon = write

    @property
    def waiting(self) -> int:
        """How many bytes are left to be handed over."""
        return sum(map(len, self._waiting))

    def _hand_over(self, data: bytes) -> None:
        for start in range(0, len(data), SLICE):
            if self._blocked:
                self._waiting.insert(0, data[start:])
                return
            self._transport.write(data[start : start + SLICE])

    def pauseProducing(self) -> None:
        """Hear that much is left."""
        self._blocked = True
        if not self.paused:
            self.paused = True
            self.owner.output_paused()

    def resumeProducing(self) -> None:
        """Go on with the rest, when nothing else is left."""
        self._blocked = False
        if not self.paused:
            return
        while self._waiting and not self._blocked:
            rest = b"".join(self._waiting)
            self._waiting.clear()
            self._hand_over(rest)
        if self._blocked:
            self.owner.output_progressed()
            return
        self.paused = False
        if self._closing:
            self.close()
        self.owner.output_resumed()

    def stopProducing(self) -> None:
        """Forget the rest: the connection is lost."""
        self._waiting.clear()

    def close(self) -> None:
        """Close the connection once all has been handed over."""
        self._closing = True
        if not self.paused:
            # TLS does not end as long as there is a producer.
            self._transport.unregisterProducer()
            self._transport.loseConnection()

    end = close

    def lost(self) -> None:
        """Let go of the owner, or what is lost would stay until the garbage is collected."""
        self.owner = _NO_OWNER

    def cut_off(self) -> None:
        """Let go of a client that takes nothing, or does not end.

        TLS waits for the client's end, which may be busy with what the kernel still
        holds for it.  So the connection below is closed first, and reset only then.
        """
        below = getattr(self._transport, "transport", None)
        if self.paused or self._left or below is None:
            self._transport.abortConnection()
        else:
            self._left = True
            below.loseConnection()


def output_for(transport: Any, owner: Owner, outbox: Outbox) -> SocketOutput | TransportOutput:
    """The output that fits a transport."""
    if isinstance(transport, Connection) and not ISSLTransport.providedBy(transport):
        return SocketOutput(transport, owner, outbox)
    return TransportOutput(transport, owner)
