"""Followers are woken when the log has grown: all of them, a few at a time.

A follower is a cursor into the log that wants to be at its end: an event stream, a
long poll, a coroutine.  It is only woken.  What there is to read it reads by its
position, so it does not matter how often it is woken or how late, and whatever was
committed meanwhile comes along in one go.
"""

from __future__ import annotations

from itertools import chain
from operator import methodcaller
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from twisted.internet.interfaces import IDelayedCall

SLICE_SECONDS = 0.005
"""For so long followers are served before others have their turn in the reactor."""

_AT_A_TIME = 64

_log = Logger()

Served = TypeVar("Served")

ServeSome: TypeAlias = "Callable[[list[Any]], object]"
"""Serves some, and raises nothing."""


class Follower(Protocol):
    """A cursor that wants to be at the end of the log."""

    def deliver(self) -> None:
        """Take what there is after the cursor, if anything and if it can be taken.

        It may be called when there is nothing, and after the follower has ended.
        """

    def stop(self) -> None:
        """Follow no more: the chat stops."""

    def rewind(self) -> None:
        """Follow no more: the end of the log was lost, and the cursor may be in it."""


def one_by_one(serve: Callable[[Served], object]) -> Callable[[list[Served]], None]:
    """Make what serves one serve some; to fail with one does not touch the others."""

    def serve_each(some: list[Served]) -> None:
        for one in some:
            try:
                serve(one)
            except Exception:  # noqa: BLE001 - whatever it is, the others wait
                _log.failure("A follower failed.")

    return serve_each


_deliver_to_each = one_by_one(methodcaller("deliver"))


def serve_some(
    seconds: Callable[[], float], until: float, due: list[Served], serve: ServeSome
) -> None:
    """Serve from the end of a list until it is empty or time is over.

    :param seconds: says what time it is.
    :param until: then time is over; some are served even if it is already.
    :param due: what is served is taken from it.
    :param serve: is given some of them, the last one first.
    """
    while due:
        some = due[: -_AT_A_TIME - 1 : -1]
        del due[-_AT_A_TIME:]
        serve(some)
        if seconds() >= until:
            return


class Followers:
    """Followers that are woken together.

    :param reactor: an ``IReactorTime`` provider.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._groups: dict[ServeSome, dict[Follower, None]] = {}
        self._due: list[tuple[ServeSome, list[Follower]]] = []
        self._log_has_grown = False
        self._next_slice: IDelayedCall | None = None

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def __iter__(self) -> Iterator[Follower]:
        return chain.from_iterable([tuple(group) for group in self._groups.values()])

    def add(self, follower: Follower, deliver: ServeSome = _deliver_to_each) -> None:
        """Wake a follower from now on.

        :param deliver: wakes some followers, of those that were added with it; if it is
            not given, each has its own :meth:`Follower.deliver` called.
        """
        self._groups.setdefault(deliver, {})[follower] = None

    def remove(self, follower: Follower) -> None:
        """Wake it no more."""
        for deliver, group in tuple(self._groups.items()):
            group.pop(follower, None)
            if not group:
                del self._groups[deliver]

    def wake(self) -> None:
        """Have all of them look, in the next turn of the reactor and those after it."""
        self._log_has_grown = True
        if self._next_slice is None and self._groups:
            self._next_slice = self._reactor.callLater(0, self._serve)

    def _serve(self) -> None:
        due = self._due
        if not due:
            self._log_has_grown = False
            due += [(deliver, [*reversed(group)]) for deliver, group in self._groups.items()]
            # Followers with a way of their own are few; they come first.
            due.sort(key=lambda group: group[0] is _deliver_to_each)
        seconds = self._reactor.seconds
        until = seconds() + SLICE_SECONDS
        while due:
            deliver, group = due[-1]
            serve_some(seconds, until, group, deliver)
            if group:
                break
            due.pop()
        is_behind = due or (self._log_has_grown and self._groups)
        self._next_slice = self._reactor.callLater(0, self._serve) if is_behind else None
