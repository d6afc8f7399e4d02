"""The end of the log, as far as the listener was told of it.

The log grows by what this process writes and by what others do, and the listener must
hear of it in order.  So there is one number: all up to it has been told.  What this
process wrote is told directly if it is what comes next; else the log is read on from
there, and then everybody's entries come in their order.

That others have written is known by notification, or by looking: a notification is only
a hint, and one that is lost makes it later, not wrong.  When the end of the log was lost,
the number goes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.model import MAX_ID
from chatter.stores.reasons import Reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from twisted.internet.interfaces import IDelayedCall

    from chatter.log.entries import Entry

LOOK_INTERVAL = 1.0
"""So often, in seconds, the log is looked at without a hint."""

AT_A_TIME = 1000
"""So many entries are read at once."""


class Tail:
    """Tells of each entry once, in id order.

    :param reactor: an ``IReactorTime`` provider.
    :param read: reads at most so many entries after an id, or raises
        :class:`chatter.protocol.errors.StoreUnavailable`.
    :param tell: is told of entries.

    :ivar told: all up to this id has been told.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        read: Callable[[int, int], Coroutine[Any, Any, list[Entry]]],
        tell: Callable[[list[Entry]], None],
    ) -> None:
        self.told = 0
        self._reactor = reactor
        self._read = read
        self._tell = tell
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
        """Tell of what comes after an id."""
        self.told = last_id
        self._next_look = self._reactor.callLater(LOOK_INTERVAL, self._look)

    async def stop(self) -> None:
        """Look no more."""
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None
        if self._reading is not None:
            await self._reading

    def rewind(self, last_id: int) -> None:
        """Go back to an id: what was told after it is not in the log any more."""
        self.told = last_id
        self._rewinds += 1
        self.look()

    def wrote(self, new: list[Entry]) -> None:
        """Tell of what this process has just written, if all before it was told."""
        if new and new[0].id == self.told + 1:
            self._tell_of(new)

    async def reached(self, entry_id: int) -> None:
        """Wait until an entry of this process has been told, or that is not possible now."""
        if entry_id > self.told and self.is_open:
            told: Deferred[None] = Deferred()
            self._waiting.append((entry_id, told))
            self.look()
            await told

    def hint(self, last_id: int) -> None:
        """Be told that the log has grown up to an id."""
        if last_id > self.told:
            self.look()

    def look(self) -> None:
        """Read the log on from where it was told, if it goes on."""
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
            found = await self._read(self.told, AT_A_TIME)
            if len(found) == AT_A_TIME or rewinds != self._rewinds:
                self._has_grown = True
            if rewinds == self._rewinds:
                self._tell_of(found)

    def _has_read(self, result: object) -> None:
        self._reading = None
        # What could not be read will be told later; who has written is not kept waiting.
        for _, told in self._take_waiting(MAX_ID):
            told.callback(None)
        if not isinstance(result, Failure):
            self._trouble.worked()
        elif not isinstance(error := result.value, StoreUnavailable):
            assert error is not None
            self._trouble.failed(error)

    def _tell_of(self, found: list[Entry]) -> None:
        new = [entry for entry in found if entry.id > self.told]
        if not new:
            return
        self.told = new[-1].id
        self._tell(new)
        for _, told in self._take_waiting(self.told):
            told.callback(None)

    def _take_waiting(self, last_id: int) -> list[tuple[int, Deferred[None]]]:
        taken = [waiting for waiting in self._waiting if waiting[0] <= last_id]
        self._waiting = [waiting for waiting in self._waiting if waiting[0] > last_id]
        return taken
