"""What all connections of a site share: the time, limits, and the clean end.

A connection has a deadline instead of a timer.  One tick a second looks whose deadline
has passed, so that time limits cost nothing for each request or connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from chatter.httpd.admission import Admission
from chatter.httpd.open_files import most_connections
from chatter.httpd.outbox import Outbox
from chatter.httpd.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall

    from chatter.httpd.limits import Limits
    from chatter.httpd.response_heads import ResponseHeads

TICK = 1.0
"""The seconds between two looks at the deadlines."""

DRAIN_TIMEOUT = 3.0
"""The seconds that requests under way have for their responses while the site drains."""


class Connection(Protocol):
    """One of the connections.

    :ivar deadline: when :meth:`time_out` is to be called.
    """

    deadline: float
    transport: Any

    @property
    def held(self) -> int:
        """How many bytes are left to be sent, or have come and can't be processed yet."""

    def relieve(self) -> None:
        """End: too much is held for all connections together."""

    def time_out(self) -> None:
        """Act upon a deadline that has passed."""

    def make_room(self) -> None:
        """Close if no request is under way: newcomers wait."""

    def drain(self) -> None:
        """Close once the request under way has its response."""


class Connections:
    """The open connections of a site, and what they share.

    :param reactor: an ``IReactorTime`` provider.
    :param limits: how much a client may use.
    :param heads: what responses begin with.
    :param wall_clock: the time of day, in seconds since 1970.
    :param when_none_is_left: called each time the last connection was lost.

    :ivar open: the open connections.
    :ivar admission: holds the ports while all connections are in use.
    :ivar draining: whether each response is the last one on its connection.
    :ivar idle_until: the deadline of a connection on which nothing happens from now on.
    :ivar now: the reactor's time, at most :data:`TICK` seconds old.
    :ivar outbox: where whole responses wait for the end of the reactor's turn.
    :ivar turns: where connections wait that have more to do than one turn allows.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        limits: Limits,
        heads: ResponseHeads,
        wall_clock: Callable[[], float],
        when_none_is_left: Callable[[], None],
    ) -> None:
        self.reactor = reactor
        self.limits = limits
        self.heads = heads
        self.open: set[Connection] = set()
        self.draining = False
        self.admission = Admission(reactor, limits.connections or most_connections())
        self.outbox = Outbox(reactor)
        self.turns = Turns(reactor)
        self._wall_clock = wall_clock
        self._when_none_is_left = when_none_is_left
        self._drained: Deferred[None] | None = None
        self._next_tick: IDelayedCall | None = None
        self._newly_held = 0
        self._relief: IDelayedCall | None = None
        self._set_time()

    def expect(self) -> None:
        """Keep time from now on: a connection is about to be made."""
        if self._next_tick is None:
            self._set_time()
            self._next_tick = self.reactor.callLater(TICK, self._tick)
        self.admission.made(len(self.open) + 1)

    def lost(self, connection: Connection) -> None:
        """Forget a connection; the last one ends the draining."""
        self.open.discard(connection)
        self.admission.ended(len(self.open))
        if self.open:
            return
        self._when_none_is_left()
        if self._drained is not None and not self._drained.called:
            self._drained.callback(None)

    def note_held(self, size: int) -> None:
        """Take note of bytes that could not be sent, or processed, at once."""
        self._newly_held += size
        if self._newly_held > self.limits.waiting // 4 and self._relief is None:
            self._relief = self.reactor.callLater(0, self._relieve)

    def _relieve(self) -> None:
        """End those that have moved nothing for longest, if too much is held for all."""
        self._relief = None
        self._newly_held = 0
        held = [(connection, connection.held) for connection in self.open]
        excess = sum(size for _, size in held) - self.limits.waiting
        if excess <= 0:
            return
        ended = 0
        # A client that takes something has a later deadline each time.
        for connection, size in sorted(held, key=lambda each: each[0].deadline):
            if excess > 0 and size:
                excess -= size
                ended += 1
                connection.relieve()
        self._log.warn(
            "{count} connections were cut off that took nothing, or sent too slowly: too much "
            "waited to be sent, or to come whole.",
            count=ended,
        )

    def rest(self) -> None:
        """Cancel all timers; there must be no connection."""
        if self._relief is not None:
            self._relief.cancel()
            self._relief = None
        self.outbox.end()
        self.turns.end()
        if self._next_tick is not None:
            self._next_tick.cancel()
            self._next_tick = None

    def _set_time(self) -> None:
        self.now = self.reactor.seconds()
        self.idle_until = self.now + self.limits.idle
        self.heads.renew(self._wall_clock())

    def _tick(self) -> None:
        self._next_tick = None
        self._set_time()
        now = self.now
        for connection in [c for c in self.open if c.deadline <= now]:
            connection.time_out()
        if self.admission.is_held:
            latest = self.idle_until - self.limits.idle_when_full
            for connection in [c for c in self.open if c.deadline <= latest]:
                connection.make_room()
        if self.open:
            self._next_tick = self.reactor.callLater(TICK, self._tick)

    async def drain(self) -> None:
        """Finish the requests under way, and close all connections.

        What is not finished within :data:`DRAIN_TIMEOUT` seconds is cut off.  Connections
        that are made after the end are served as before.
        """
        self.draining = True
        for connection in tuple(self.open):
            connection.drain()
        if self.open:
            drained = self._drained = self._drained or Deferred()
            timeout = self.reactor.callLater(DRAIN_TIMEOUT, self._cut_off)
            await drained
            if timeout.active():
                timeout.cancel()
        self._drained = None
        self.draining = False

    def _cut_off(self) -> None:
        for connection in tuple(self.open):
            connection.transport.abortConnection()
