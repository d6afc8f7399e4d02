"""The users of a chat: found by id or name, and listed.

Users whose id or name was looked up lately are kept in memory, so that most
requests need no read of the store.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from cachetools import FIFOCache

from chatter.chat.users.online_users import OnlineUsers
from chatter.protocol import names
from chatter.protocol.bodies import Participant, Users
from chatter.protocol.errors import Unauthorized, UnknownRecipient
from chatter.protocol.scalars import MAX_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from chatter.chat.users.presence import Presence
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import User

_REMEMBERED_USERS = 20_000


class Directory:
    """The users of a chat.

    :param is_away: whether a user can't use the chat now, and so is not online.
    """

    def __init__(
        self, store: IChatStore, presence: Presence, is_away: Callable[[int], bool]
    ) -> None:
        self._store = store
        self._presence = presence
        self._is_away = is_away
        self._online = OnlineUsers(store, presence, self._has_gone)
        self._by_id: FIFOCache[int, User] = FIFOCache(_REMEMBERED_USERS)
        self._by_name: FIFOCache[str, User] = FIFOCache(_REMEMBERED_USERS)
        # What was read from the store before this grew may be out of date.
        self._forgotten = 0

    def forget(self) -> None:
        """Forget who was looked up: the store may have been replaced while it was closed."""
        self._online.forget()
        self._forgotten += 1
        self._by_name.clear()
        self._by_id.clear()

    def forget_user(self, user_id: int) -> None:
        """Forget a user who has left: the name, and that the user is online."""
        self._forgotten += 1
        self._by_id.pop(user_id, None)
        self._by_name.clear()
        self._online.remove(user_id)

    def drop_if_away(self, user_id: int) -> None:
        """Take a user off those online, if the user may not use the chat any more."""
        if self._is_away(user_id):
            self._online.remove(user_id)

    async def by_id(self, user_id: int) -> User:
        """The user with that id.

        :raises UnknownRecipient: if there is none.
        :raises StoreUnavailable: if the store can't be read.
        """
        user: User | None = self._by_id.get(user_id)
        if user is None:
            forgotten = self._forgotten
            user = await self._store.user_by_id(user_id)
            if user is None:
                raise UnknownRecipient(f"There is no user {user_id}.")
            if forgotten == self._forgotten:
                self._by_id[user_id] = user
        return user

    async def check(self, user: User) -> None:
        """See that a user is one of this chat, and not of another one.

        :raises Unauthorized: if it is not.
        :raises StoreUnavailable: if the store can't be read.
        """
        known: User | None = self._by_id.get(user.id)
        if known is None and 1 <= user.id <= MAX_ID:
            with suppress(UnknownRecipient):
                known = await self.by_id(user.id)
        if known is None or known.name != user.name:
            raise Unauthorized("The user is not one of this chat.")

    async def by_name(self, name: str) -> User | None:
        """The user with that name; ``None`` if nobody has it.

        :raises InvalidRequest: if no user can have that name.
        :raises StoreUnavailable: if the store can't be read.
        """
        user: User | None = self._by_name.get(name)
        if user is None:
            forgotten = self._forgotten
            user = await self._store.user_by_name(names.check(name))
            if user is not None and forgotten == self._forgotten:
                self._by_name[name] = user
        return user

    async def list(self, after: int, limit: int) -> Users:
        """The participants with a larger id than ``after``, by id.

        :raises StoreUnavailable: if the store can't be read.
        """
        return self._page(await self._store.users(after, limit + 1), limit)

    async def list_by_id(self, user_ids: Collection[int]) -> Users:
        """The participants with those ids, by id; unknown ids are left out.

        :raises StoreUnavailable: if the store can't be read.
        """
        return self._page(await self._store.users_by_id(user_ids), len(user_ids))

    async def list_by_prefix(self, prefix: str, limit: int) -> Users:
        """The participants whose name begins with a prefix, whatever its case, by name.

        :raises StoreUnavailable: if the store can't be read.
        """
        if not names.fold(prefix).isprintable():
            # No name has such a character, and not every store takes them.
            return Users([], more=False)
        return self._page(await self._store.users_by_prefix(prefix, limit + 1), limit)

    async def list_online(self, after: int, limit: int) -> Users:
        """The participants with a larger id than ``after`` who are online, by id.

        :raises StoreUnavailable: if the store can't be read.
        """
        online: list[Participant] = []
        for user in await self._online.after(after):
            participant = self.participant(user)
            # If the read took longer than a second, some may have gone since they were found.
            if participant.online:
                online.append(participant)
            if len(online) > limit:
                break
        return Users(online[:limit], len(online) > limit)

    async def count_online(self) -> int:
        """How many users are online.

        :raises StoreUnavailable: if the store can't be read.
        """
        return await self._online.count()

    def participant(self, user: User) -> Participant:
        """A user, as the others see them."""
        last_seen = self._presence.last_seen(user.id, user.last_seen)
        online = self._presence.is_online(last_seen) and not self._has_gone(user)
        return Participant(user.id, user.name, online, last_seen)

    def _has_gone(self, user: User) -> bool:
        """Whether a user can't use the chat now, however lately seen."""
        # After a restart only the name shows who has left.
        return self._is_away(user.id) or names.is_erased(user.name, user.id)

    def _page(self, found: Sequence[User], limit: int) -> Users:
        return Users([self.participant(user) for user in found[:limit]], len(found) > limit)
