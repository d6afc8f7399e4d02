"""The users who are online: read at most once a second, for all requests together.

An index on the time a user was last seen would have to change with each request.  So there is
none, and a read passes over all users.  It costs the store the same, however many requests
need it.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta, timezone
from operator import attrgetter
from typing import TYPE_CHECKING

from chatter.chat.turns import Turns
from chatter.chat.users.presence import LIFETIME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chatter.chat.users.presence import Presence
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import User

_FRESH = timedelta(seconds=1)
"""For so long what was found is not looked for again."""

_SAVED_LATE = timedelta(seconds=35)
"""A sign of life is saved at most so much later than it was given."""

_AT_ONCE = 1000
"""So many users are read at once."""

_NEVER = datetime.min.replace(tzinfo=timezone.utc)

_id_of = attrgetter("id")


class OnlineUsers:
    """The users who are online, or were a short while ago."""

    def __init__(self, store: IChatStore, presence: Presence) -> None:
        self._store = store
        self._presence = presence
        self._turns = Turns(1)
        self._found: list[User] = []
        self._found_at = _NEVER

    def forget(self) -> None:
        """Forget what was found: the store may have been replaced while it was closed."""
        self._found_at = _NEVER

    async def after(self, user_id: int) -> Iterator[User]:
        """Those with a larger id, by id; some of them may have gone since.

        :raises StoreUnavailable: if the store can't be read.
        """
        async with self._turns:
            now = self._presence.now()
            if not timedelta() <= now - self._found_at < _FRESH:
                self._found = await self._read(now - LIFETIME - _SAVED_LATE)
                self._found_at = now
        found = self._found
        first = bisect_right(found, user_id, key=_id_of)
        return (found[place] for place in range(first, len(found)))

    async def _read(self, since: datetime) -> list[User]:
        found: list[User] = []
        while True:
            last = found[-1].id if found else 0
            some = await self._store.users_seen(since, last, _AT_ONCE)
            found += some
            if len(some) < _AT_ONCE:
                return found
