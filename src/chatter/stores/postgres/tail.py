"""The end of the log, as far as it was reported to the listener.

This process and others append to the log, and the listener must get all entries in order.
So there is one number: everything up to it has been reported.  What this process wrote is
reported directly if it comes next.  Otherwise the log is read on from that number, and the
entries of all processes come in their order.

The process learns by a notification that others have written, or by looking.  A notification
is only a hint: if one is lost, entries come later, but in order and complete.  When the end of
the log was lost, the number goes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.scalars import MAX_ID
from chatter.repeated_errors import Reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from twisted.internet.interfaces import IDelayedCall

    from chatter.log.entries import Entry

LOOK_INTERVAL = 1.0
"""So often, in seconds, the log is looked at without a hint."""

AT_A_TIME = 1000
"""So many entries are read at once."""


class Tail:
    """Reports each entry once, in id order.

    :param reactor: an ``IReactorTime`` provider.
    :param read: reads at most so many entries after an id, or raises
        :class:`chatter.protocol.errors.StoreUnavailable`.
    :param report: called with entries.

    :ivar reported: all entries up to this id have been reported.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        read: Callable[[int, int], Coroutine[Any, Any, list[Entry]]],
        report: Callable[[list[Entry]], None],
    ) -> None:
        self.reported = 0
        self._reactor = reactor
        self._read = read
        self._report = report
        self._next_look: IDelayedCall | None = None
        self._reading: Deferred[None] | None = None
        self._has_grown = False
        self._rewinds = 0
        self._waiting: list[tuple[int, Deferred[None]]] = []
        self._trouble = Reasons(
            self._log, "The log can't be read on", "The log can be read on again."
        )

    @property
    def is_open(self) -> bool:
        """Whether it has started and not stopped."""
        return self._next_look is not None

    def start(self, last_id: int) -> None:
        """Report what comes after an id."""
        self.reported = last_id
        self._next_look = self._reactor.callLater(LOOK_INTERVAL, self._look)

    async def stop(self) -> None:
        """Look no more."""
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None
        if self._reading is not None:
            await self._reading

    def rewind(self, last_id: int) -> None:
        """Go back to an id: what was reported after it is not in the log any more."""
        self.reported = last_id
        self._rewinds += 1
        self.look()

    def wrote(self, new: list[Entry]) -> None:
        """Report what this process has just written, if all before it was reported."""
        if new and new[0].id == self.reported + 1:
            self._report_new(new)

    async def reached(self, entry_id: int) -> None:
        """Wait until an entry of this process has been reported.

        :raises chatter.protocol.errors.StoreUnavailable: if the log can't be read on now; the
            entry will be reported later.
        """
        if entry_id > self.reported and self.is_open:
            reached: Deferred[None] = Deferred()
            self._waiting.append((entry_id, reached))
            self.look()
            await reached

    async def catch_up(self) -> None:
        """Wait until all that is in the log now has been reported.

        :raises chatter.protocol.errors.StoreUnavailable: if the log can't be read on now.
        """
        await self.reached(MAX_ID)

    def hint(self, last_id: int) -> None:
        """Look, if the log has grown up to an id that was not reported."""
        if last_id > self.reported:
            self.look()

    def look(self) -> None:
        """Read the log on from what was reported, if there is more."""
        self._has_grown = True
        if self._reading is None and self.is_open:
            self._reading = Deferred.fromCoroutine(self._read_on())
            self._reading.addBoth(self._has_read)

    def _look(self) -> None:
        self._next_look = self._reactor.callLater(LOOK_INTERVAL, self._look)
        self.look()

    async def _read_on(self) -> None:
        while self._has_grown:
            self._has_grown = False
            rewinds = self._rewinds
            found = await self._read(self.reported, AT_A_TIME)
            if len(found) == AT_A_TIME or rewinds != self._rewinds:
                self._has_grown = True
            if rewinds == self._rewinds:
                self._report_new(found)

    def _has_read(self, result: object) -> None:
        self._reading = None
        waiting = self._take_waiting(MAX_ID)
        if not isinstance(result, Failure):
            for _, reached in waiting:
                reached.callback(None)
            self._trouble.worked()
            return
        # What could not be read will be reported later; nobody is kept waiting for it.
        for _, reached in waiting:
            reached.errback(StoreUnavailable("The log can't be read on."))
        if not isinstance(error := result.value, StoreUnavailable):
            assert error is not None
            self._trouble.failed(error)

    def _report_new(self, found: list[Entry]) -> None:
        new = [entry for entry in found if entry.id > self.reported]
        if not new:
            return
        self.reported = new[-1].id
        self._report(new)
        for _, reached in self._take_waiting(self.reported):
            reached.callback(None)

    def _take_waiting(self, last_id: int) -> list[tuple[int, Deferred[None]]]:
        taken = [waiting for waiting in self._waiting if waiting[0] <= last_id]
        self._waiting = [waiting for waiting in self._waiting if waiting[0] > last_id]
        return taken
