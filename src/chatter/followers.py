"""Who is told when the log has grown: all of them, a few at a time.

A follower is a cursor into the log that wants to be at its end: an event stream, a
long poll, a coroutine.  It is only woken.  What there is to read it reads by its
position, so it does not matter how often it is woken or how late, and whatever was
committed meanwhile comes along in one go.
"""

from __future__ import annotations

from operator import methodcaller
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from twisted.internet.interfaces import IDelayedCall

SLICE_SECONDS = 0.005
"""For so long followers are served before others have their turn in the reactor."""

_AT_A_TIME = 64

Served = TypeVar("Served")

_deliver = methodcaller("deliver")


class Follower(Protocol):
    """A cursor that wants to be at the end of the log."""

    def deliver(self) -> None:
        """Take what there is after the cursor, if anything and if it can be taken.

        It may be called when there is nothing, and after the follower has ended.
        """


def serve_some(
    seconds: Callable[[], float], due: list[Served], serve: Callable[[Served], object]
) -> None:
    """Serve from the end of a list until it is empty or :data:`SLICE_SECONDS` are over.

    :param seconds: says what time it is.
    :param due: what is served is taken from it.
    """
    end = seconds() + SLICE_SECONDS
    while due:
        for _ in range(min(_AT_A_TIME, len(due))):
            serve(due.pop())
        if seconds() >= end:
            return


class Followers:
    """Followers that are woken together.

    :param reactor: an ``IReactorTime`` provider.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._followers: dict[Follower, None] = {}
        self._due: list[Follower] = []
        self._log_has_grown = False
        self._next_slice: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._followers)

    def __iter__(self) -> Iterator[Follower]:
        return iter(tuple(self._followers))

    def add(self, follower: Follower) -> None:
        """Wake a follower from now on."""
        self._followers[follower] = None

    def remove(self, follower: Follower) -> None:
        """Wake it no more."""
        self._followers.pop(follower, None)

    def wake(self) -> None:
        """Have all of them look, in the next turn of the reactor and those after it."""
        self._log_has_grown = True
        if self._next_slice is None and self._followers:
            self._next_slice = self._reactor.callLater(0, self._serve)

    def _serve(self) -> None:
        due = self._due
        if not due:
            self._log_has_grown = False
            due = self._due = list(self._followers)
            due.reverse()
        serve_some(self._reactor.seconds, due, _deliver)
        is_behind = due or (self._log_has_grown and self._followers)
        self._next_slice = self._reactor.callLater(0, self._serve) if is_behind else None
