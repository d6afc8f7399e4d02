"""How far users have moved, which is saved a little later, together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.scalars import MAX_ID
from chatter.repeated_errors import Reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from twisted.internet.interfaces import IDelayedCall

SAVE_INTERVAL = 1.0
"""What could not be saved is tried again after so many seconds."""


class Progress:
    """How far users have read and when they were last seen, as far as it is not yet saved.

    :param reactor: an ``IReactorTime`` provider.
    :param save: makes a list of ``(user id, cursor, last seen)`` durable, or
        raises something; it is then called again.
    :param interval: what moves is saved within so many seconds.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        save: Callable[[list[tuple[int, int, datetime]]], Coroutine[Any, Any, None]],
        interval: float = SAVE_INTERVAL,
    ) -> None:
        self._reactor = reactor
        self._save = save
        self._interval = interval
        self._unsaved: dict[int, tuple[int, datetime]] = {}
        self._next_save: IDelayedCall | None = None
        self._saving: Deferred[bool] | None = None
        self._open = False
        self._trouble = Reasons(self._log, "Cursors can't be saved", "Cursors can be saved again.")

    def start(self) -> None:
        """Save from now on what moves."""
        self._open = True

    async def stop(self) -> None:
        """Save what is not yet saved; what can't be saved is forgotten."""
        self._open = False
        if self._next_save is not None:
            self._next_save.cancel()
            self._next_save = None
        if self._saving is not None:
            await self._saving
        if self._unsaved:
            await self._save_all()

    def cursor(self, user_id: int) -> int:
        """Up to where a user has read, if that is not yet saved; else 0."""
        cursor, _ = self._unsaved.get(user_id, (0, None))
        return cursor

    def move(self, user_id: int, cursor: int, last_seen: datetime) -> None:
        """Move a user on, never back, and save that soon.

        What can't be a user or a cursor is ignored: it would fail with all others.
        """
        if not (1 <= user_id <= MAX_ID and 0 <= cursor <= MAX_ID):
            return
        earlier = self._unsaved.get(user_id)
        if earlier is not None:
            cursor, last_seen = max(cursor, earlier[0]), max(last_seen, earlier[1])
        self._unsaved[user_id] = (cursor, last_seen)
        self._save_within(self._interval)

    def rewind(self, last_id: int) -> None:
        """Take no cursor for further on than an id: what came after it was lost."""
        for user_id, (cursor, last_seen) in self._unsaved.items():
            self._unsaved[user_id] = (min(cursor, last_id), last_seen)

    def _save_within(self, seconds: float) -> None:
        if self._open and self._next_save is None and self._saving is None:
            self._next_save = self._reactor.callLater(seconds, self._save_now)

    def _save_now(self) -> None:
        self._next_save = None
        self._saving = Deferred.fromCoroutine(self._save_all())
        self._saving.addBoth(self._saved)

    def _saved(self, result: object) -> object:
        self._saving = None
        if self._unsaved:
            self._save_within(self._interval if result is True else SAVE_INTERVAL)
        return result

    async def _save_all(self) -> bool:
        progress = dict(self._unsaved)
        try:
            await self._save([(user_id, *moved) for user_id, moved in progress.items()])
        except StoreUnavailable:
            return False
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            self._trouble.failed(error)
            return False
        self._trouble.worked()
        for user_id, moved in progress.items():
            if self._unsaved[user_id] is moved:
                del self._unsaved[user_id]
        return True
