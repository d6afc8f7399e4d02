"""Whether a store can serve: known within a second, whatever the store waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from chatter.protocol.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from twisted.python.failure import Failure

CHECK_PATIENCE = 1.0
"""A store that does not respond within so many seconds can't serve."""


class Check:
    """Checks a store, one check at a time, for all who want to know.

    :param reactor: an ``IReactorTime`` provider.
    :param check: raises :class:`chatter.protocol.errors.StoreUnavailable` if the store
        can't serve; may take any time.
    """

    def __init__(self, reactor: Any, check: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._reactor = reactor
        self._check = check
        self._is_under_way = False
        self._late_at = 0.0
        self._waiting: list[Deferred[None]] = []

    async def result(self) -> None:
        """Wait for the check that is under way or begins now, but not for long.

        :raises StoreUnavailable: if the check does, or is under way for longer than
            :data:`CHECK_PATIENCE`.
        """
        now = self._reactor.seconds()
        if not self._is_under_way:
            self._is_under_way = True
            self._late_at = now + CHECK_PATIENCE
            waiting = self._wait(CHECK_PATIENCE)
            Deferred.fromCoroutine(self._check()).addCallbacks(self._succeeded, self._failed)
        elif now >= self._late_at:
            raise _too_late()
        else:
            waiting = self._wait(self._late_at - now)
        await waiting

    def _wait(self, seconds: float) -> Deferred[None]:
        waiting: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting.addTimeout(seconds, self._reactor, _timed_out)

    def _succeeded(self, _: None) -> None:
        for waiting in self._take():
            waiting.callback(None)

    def _failed(self, failure: Failure) -> None:
        assert failure.value is not None
        for waiting in self._take():
            waiting.errback(failure.value)

    def _take(self) -> list[Deferred[None]]:
        self._is_under_way = False
        taken, self._waiting = self._waiting, []
        return taken


def _too_late() -> StoreUnavailable:
    return StoreUnavailable("The store does not respond.", 2)


def _timed_out(_: object, __: float) -> None:
    raise _too_late()
