"""Fair shares of the reactor's time: no connection, and no turn, works for long.

A client may send thousands of requests before it reads one response.  The first request
that a connection has is processed at once.  What follows it on the same connection gets
:data:`CONNECTION_SECONDS` in a turn of the reactor, and all connections together
:data:`TURN_SECONDS`.  A connection that has more to do waits in a queue for a later turn,
behind the others; between two turns the reactor reads from all connections.
"""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from twisted.logger import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

CONNECTION_SECONDS = 0.002
"""A connection may work so long in one turn, beyond its first request."""

TURN_SECONDS = 0.005
"""All connections together may work so long in one turn, beyond their first requests."""


class Worker(Protocol):
    """A connection that has more to do."""

    def take_turn(self) -> None:
        """Do some more, until :meth:`Turns.until`."""


class Turns:
    """Those that have more to do than one turn allows.

    :param reactor: an ``IReactorTime`` provider; begins the turns.
    """

    _log = Logger()

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._queue: deque[Worker] = deque()
        self._next: IDelayedCall | None = None
        self._ends = 0.0

    def until(self) -> float:
        """Until when a connection that begins now may work in this turn, by ``time.monotonic``."""
        now = monotonic()
        if self._next is None:
            self._ends = now + TURN_SECONDS
            self._next = self._reactor.callLater(0, self._run)
        return min(now + CONNECTION_SECONDS, self._ends)

    def add(self, worker: Worker) -> None:
        """Have a connection go on in a later turn."""
        self._queue.append(worker)
        if self._next is None:
            self._next = self._reactor.callLater(0, self._run)

    def _run(self) -> None:
        """Begin a turn: let those that wait go on, each once, until the turn has had its time."""
        self._next = None
        self._ends = monotonic() + TURN_SECONDS
        if self._queue:
            self._next = self._reactor.callLater(0, self._run)
        for _ in range(len(self._queue)):
            try:
                self._queue.popleft().take_turn()
            except Exception:  # noqa: BLE001 - the others have their turn, too
                self._log.failure("A connection failed.")
            if monotonic() >= self._ends:
                break

    def end(self) -> None:
        """Cancel the timer; nobody must wait."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        self._queue.clear()
