"""Users who leave a store in memory for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from zope.interface import implementer

from chatter.log.entries import UserErased
from chatter.log.erasure import IErasure
from chatter.protocol import names

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from chatter.protocol.model import Message, ReadMark, User
    from chatter.stores.memory.entries import MemoryEntries
    from chatter.stores.memory.moderation import MemoryModeration
    from chatter.stores.memory.tokens import MemoryTokens


@implementer(IErasure)
class MemoryErasure:
    """The part of a store in memory that erases users.

    :param check: raises unless the store is open.
    :param users: all users, by id.
    :param ids_by_name: their ids, by folded name.
    :param entries: the entries of the log.
    :param tokens: the tokens of the users.
    :param moderation: what the users may do.
    """

    def __init__(
        self,
        check: Callable[[], Awaitable[None]],
        users: dict[int, User],
        ids_by_name: dict[str, int],
        entries: MemoryEntries,
        tokens: MemoryTokens,
        moderation: MemoryModeration,
    ) -> None:
        self._check = check
        self._users = users
        self._ids_by_name = ids_by_name
        self._entries = entries
        self._tokens = tokens
        self._moderation = moderation
        self._begun: set[int] = set()
        self._under_way: set[int] = set()
        self._taken: set[bytes] = set()

    def has_had(self, folded_name: str) -> bool:
        """Whether a name was that of somebody who has left."""
        return names.digest(folded_name) in self._taken

    def count(self) -> int:
        """How many have left."""
        return len(self._begun)

    async def begin(self, user_id: int, at: datetime) -> UserErased | None:
        """Have a user erased."""
        await self._check()
        user, erased = self._users.get(user_id), names.erased(user_id)
        if user is None or user_id in self._begun:
            return None
        folded = names.fold(user.name)
        del self._ids_by_name[folded]
        self._taken.add(names.digest(folded))
        self._ids_by_name[erased] = user_id
        self._users[user_id] = replace(user, name=erased)
        self._begun.add(user_id)
        self._under_way.add(user_id)
        self._tokens.end(user_id)
        self._moderation.end(user_id)
        entry = UserErased(self._entries.next_id(), user_id, at)
        self._entries.append(entry)
        return entry

    async def under_way(self) -> list[int]:
        """The users whose erasure is not finished."""
        await self._check()
        return sorted(self._under_way)

    async def finish(self, user_id: int) -> None:
        """Note that all messages of a user were withdrawn."""
        await self._check()
        self._under_way.discard(user_id)
        self._entries.chats.forget_marks(user_id)

    async def read_own(self, user_id: int, after: int, until: int) -> list[Message]:
        """The messages that a user has sent, and the private ones to the user."""
        await self._check()
        # A stretch costs its own length, and not that of the log.
        found = map(self._entries.messages.get, range(after + 1, until + 1))
        return [
            message
            for message in found
            if message is not None and user_id in (message.sender_id, message.recipient_id)
        ]

    async def read_marks(self, user_id: int, after: int, limit: int) -> list[ReadMark]:
        """The read marks of a user."""
        await self._check()
        return self._entries.chats.read_marks(user_id, after, limit)
