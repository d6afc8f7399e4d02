"""What is no longer kept is deleted slice by slice, with pauses for those who wait meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatter.repeated_errors import UnexpectedErrors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LEAST_PAUSE = 0.02
"""So many seconds pass at least between two slices."""

AGAIN = 10.0
"""So many seconds after a slice could not be deleted it is tried again."""


class Slice(NamedTuple):
    """What was deleted at once.

    :ivar is_last: whether nothing was left to be deleted.
    :ivar seconds: the time that it has taken of its share of the time.
    """

    is_last: bool
    seconds: float


class Deleting:
    """Deletes until nothing is left to be deleted.

    :param reactor: an ``IReactorTime`` provider.
    :param delete: deletes a slice.
    :param duty: the share of the time that slices may take; the rest are pauses.
    """

    _log = Logger()

    def __init__(
        self, reactor: Any, delete: Callable[[], Awaitable[Slice]], *, duty: float
    ) -> None:
        self._reactor = reactor
        self._delete = delete
        self._rest = 1 / duty - 1
        self._is_open = False
        self._is_wanted = False
        self._pausing: Deferred[None] | None = None
        self._running: Deferred[None] | None = None
        self._errors = UnexpectedErrors(self._log, "What is no longer kept could not be deleted.")

    def start(self) -> None:
        """Delete from now on, when :meth:`wake` is called."""
        self._is_open = True

    def wake(self) -> None:
        """Begin, if it is not under way: there is something to delete."""
        self._is_wanted = True
        if self._is_open and self._running is None:
            self._running = Deferred()
            Deferred.fromCoroutine(self._run()).addCallback(self._has_run)

    async def stop(self) -> None:
        """Delete no more, and finish the slice that is under way."""
        self._is_open = False
        if self._pausing is not None:
            self._pausing.cancel()
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        while self._is_open and self._is_wanted:
            self._is_wanted = False
            try:
                deleted = await self._delete()
            except Exception:  # noqa: BLE001 - whatever it is, the next slice may do
                self._is_wanted = True
                pause = AGAIN
                self._errors.failed(Failure())
            else:
                self._errors.worked()
                self._is_wanted |= not deleted.is_last
                pause = max(LEAST_PAUSE, self._rest * deleted.seconds)
            if self._is_open and self._is_wanted:
                await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        self._pausing = deferLater(self._reactor, seconds)
        try:
            await self._pausing
        except CancelledError:
            return
        finally:
            self._pausing = None

    def _has_run(self, _: None) -> None:
        running, self._running = self._running, None
        assert running is not None
        running.callback(None)
