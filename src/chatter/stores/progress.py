"""The cursors of users, at hand in memory and saved a little later, together.

For a store that no other process writes to: what is known here is then right,
and what is not yet saved at a crash only repeats messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cachetools import LRUCache
from twisted.internet.defer import Deferred

from chatter.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from twisted.internet.interfaces import IDelayedCall

SAVE_INTERVAL = 1.0
"""A cursor is saved at most so many seconds after it moved."""

KNOWN_CURSORS = 20_000
"""So many saved cursors are kept at hand."""


class Progress:
    """How far users have read and when they were last seen.

    :param reactor: an ``IReactorTime`` provider.
    :param save: makes a list of ``(user id, cursor, last seen)`` durable, or
        raises :class:`~chatter.errors.StoreUnavailable`; it is then asked again.
    """

    def __init__(
        self,
        reactor: Any,
        save: Callable[[list[tuple[int, int, datetime]]], Coroutine[Any, Any, None]],
    ) -> None:
        self._reactor = reactor
        self._save = save
        self._known: LRUCache[int, int] = LRUCache(KNOWN_CURSORS)
        self._unsaved: dict[int, tuple[int, datetime]] = {}
        self._next_save: IDelayedCall | None = None
        self._saving: Deferred[None] | None = None
        self._open = False

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

    def cursor(self, user_id: int) -> int | None:
        """Up to where a user has read, if that is known here."""
        if not self._open:
            return None
        cursor: int | None = self._known.get(user_id)
        return cursor

    def learn(self, user_id: int, saved: int) -> int:
        """Take a saved cursor over, and answer the one that is right."""
        unsaved, _ = self._unsaved.get(user_id, (0, None))
        cursor = self._known[user_id] = max(saved, unsaved, self._known.get(user_id, 0))
        return cursor

    def move(self, user_id: int, cursor: int, last_seen: datetime) -> None:
        """Move a user on, never back, and save that soon."""
        earlier = self._unsaved.get(user_id)
        if earlier is not None:
            cursor, last_seen = max(cursor, earlier[0]), max(last_seen, earlier[1])
        self._unsaved[user_id] = (cursor, last_seen)
        # One that is not known is not learnt from this: what is saved may be further on.
        if user_id in self._known:
            self.learn(user_id, cursor)
        self._save_soon()

    def _save_soon(self) -> None:
        if self._open and self._next_save is None and self._saving is None:
            self._next_save = self._reactor.callLater(SAVE_INTERVAL, self._save_now)

    def _save_now(self) -> None:
        self._next_save = None
        self._saving = Deferred.fromCoroutine(self._save_all())
        self._saving.addBoth(self._saved)

    def _saved(self, result: object) -> object:
        self._saving = None
        if self._unsaved:
            self._save_soon()
        return result

    async def _save_all(self) -> None:
        progress = dict(self._unsaved)
        try:
            await self._save([(user_id, *moved) for user_id, moved in progress.items()])
        except StoreUnavailable:
            return
        for user_id, moved in progress.items():
            if self._unsaved[user_id] is moved:
                del self._unsaved[user_id]
