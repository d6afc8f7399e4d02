"""The users who are online: read at most once a second, for all requests together.

An index on the time a user was last seen would have to change with each request.  So there is
none, and a read passes over all users.  It costs the store the same, however many requests
need it.  Those who are found stay online until the next read, but for who is banned or
leaves, who is removed.  So a page costs its own length, and the count nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import datetime, timedelta, timezone
from operator import attrgetter
from typing import TYPE_CHECKING

from chatter.chat.turns import Turns
from chatter.chat.users.presence import LIFETIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    """The users who are online.

    :param has_gone: whether a user can't use the chat now, however lately seen.
    """

    def __init__(
        self, store: IChatStore, presence: Presence, has_gone: Callable[[User], bool]
    ) -> None:
        self._store = store
        self._presence = presence
        self._has_gone = has_gone
        self._turns = Turns(1)
        self._found: list[User] = []
        # What the read that is under way has found so far.
        self._reading: list[User] = []
        self._found_at = _NEVER

    def forget(self) -> None:
        """Forget what was found: the store may have been replaced while it was closed."""
        self._found_at = _NEVER

    def remove(self, user_id: int) -> None:
        """Take out a user who is not online any more."""
        for users in self._found, self._reading:
            place = bisect_left(users, user_id, key=_id_of)
            if place < len(users) and users[place].id == user_id:
                del users[place]

    async def count(self) -> int:
        """How many there are, as of the last read.

        :raises StoreUnavailable: if the store can't be read.
        """
        return len(await self._newest())

    async def after(self, user_id: int) -> Iterator[User]:
        """Those with a larger id, by id.

        :raises StoreUnavailable: if the store can't be read.
        """
        found = await self._newest()
        first = bisect_right(found, user_id, key=_id_of)
        return (found[place] for place in range(first, len(found)))

    async def _newest(self) -> list[User]:
        async with self._turns:
            now = self._presence.now()
            if not timedelta() <= now - self._found_at < _FRESH:
                self._found = await self._read(now - LIFETIME - _SAVED_LATE)
                self._found_at = now
        return self._found

    async def _read(self, since: datetime) -> list[User]:
        found: list[User] = []
        self._reading = found
        last = 0
        while True:
            some = await self._store.users_seen(since, last, _AT_ONCE)
            found += [user for user in some if self._stays(user)]
            if len(some) < _AT_ONCE:
                return found
            last = some[-1].id

    def _stays(self, user: User) -> bool:
        """Whether a user is online until this is looked for again."""
        stays = self._presence.stays(user.id, user.last_seen, _FRESH)
        return stays and not self._has_gone(user)
