"""A store that keeps everything in memory and forgets it at the end.

For trying things out, for tests, and as the plainest reading of what a store is.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from chatter.log.interfaces import IChatStore
from chatter.log.lineage import Epoch, Lineage, continued, new_epoch
from chatter.protocol import names
from chatter.protocol.errors import NameTaken, StoreUnavailable
from chatter.protocol.model import ChatSummary, Draft, Message, User
from chatter.protocol.scalars import MAX_ID
from chatter.stores.memory.entries import MemoryEntries
from chatter.stores.memory.erasure import MemoryErasure
from chatter.stores.memory.invitations import MemoryInvitations
from chatter.stores.memory.moderation import MemoryModeration
from chatter.stores.memory.tokens import MemoryTokens

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from chatter.log.entries import ChangeDraft, Entry, Sent


@implementer(IChatStore)
class MemoryStore(Service):
    """A store in memory.  Stopping and starting it again keeps what it holds."""

    name = "chatter memory store"

    def __init__(self) -> None:
        self.listener: Callable[[list[Entry]], None] | None = None
        self.rewound: Callable[[int], None] | None = None
        self.trimmed: Callable[[int], None] | None = None
        self.kept_after = 0
        self._epochs: list[Epoch] = []
        self.lineage = Lineage([new_epoch(0)])
        self._entries = MemoryEntries(self._report)
        self._users: dict[int, User] = {}
        self._ids_by_name: dict[str, int] = {}
        self.invitations = MemoryInvitations(self.check, self.add_user)
        self._cursors: dict[int, int] = {}
        self.tokens = MemoryTokens(self._users, self.check)
        self.moderation = MemoryModeration(self.check, self._users, self._entries)
        self.erasure = MemoryErasure(
            self.check,
            self._users,
            self._ids_by_name,
            self._entries,
            self.tokens,
            self.moderation,
        )

    @classmethod
    def make_store(cls, location: str, reactor: Any) -> MemoryStore:  # noqa: ARG003
        """Make a store from ``memory:``."""
        cls.check_store(location)
        return cls()

    @classmethod
    def check_store(cls, location: str) -> None:
        """See that nothing follows the scheme."""
        if location != "memory:":
            raise ValueError(f"Nothing follows 'memory:', but there is {location!r}.")

    def startService(self) -> Deferred[None]:
        """Open it; that takes no time."""
        super().startService()
        self._epochs = continued(self._epochs, new_epoch(self._entries.last_id))
        self.lineage = Lineage(self._epochs)
        return succeed(None)

    def stopService(self) -> Deferred[None]:
        """Close it; that takes no time."""
        super().stopService()
        return succeed(None)

    async def check(self) -> None:
        """Raise unless the store is open."""
        if not self.running:
            raise StoreUnavailable("The store is not open.")

    async def last_id(self) -> int:
        """The id of the newest entry."""
        await self.check()
        return self._entries.last_id

    async def append(self, draft: Draft) -> Message:
        """Append a message."""
        await self.check()
        if draft.key is not None:
            first = await self.read_sent(draft.sender_id, draft.key)
            if first is not None:
                return first
        return self._entries.append_message(draft)

    async def change(self, draft: ChangeDraft) -> tuple[int | None, Message]:
        """Edit or withdraw a message."""
        await self.check()
        return self._entries.change(draft)

    async def trim(self, until: int) -> None:
        """Keep only the entries after an id."""
        await self.check()
        until = min(until, self._entries.last_id)
        if until <= self.kept_after:
            return
        self._entries.trim(self.kept_after, until)
        self.kept_after = until
        if self.trimmed is not None:
            self.trimmed(until)

    async def count_messages(self, after: int, until: int) -> tuple[int, int]:
        """How many messages there are in a stretch."""
        await self.check()
        return self._entries.count(after, until)

    async def old_entries(
        self, after: int, until: int, before: datetime, limit: int
    ) -> tuple[int, int]:
        """How many entries of a stretch come before the first one that is not old."""
        await self.check()
        return self._entries.old(after, until, before, limit)

    async def read_message(self, message_id: int) -> Message | None:
        """The message with that id."""
        await self.check()
        return self._entries.messages.get(message_id)

    async def read_sent(self, sender_id: int, key: str) -> Message | None:
        """The message that a user has sent with a key."""
        await self.check()
        return self._entries.sent(sender_id, key)

    def _report(self, entry: Entry) -> None:
        if self.listener is not None:
            self.listener([entry])

    async def read_feed(self, user_id: int, after: int, limit: int) -> list[Entry]:
        """What a user may see after an id."""
        await self.check()
        return self._entries.log.feed(user_id, after, limit)

    async def read_general(self, before: int | None, limit: int) -> list[Message]:
        """The newest messages of the general chat."""
        await self.check()
        return self._entries.log.general(before, limit)

    async def read_general_senders(self, before: int | None, limit: int) -> list[Sent]:
        """Who has sent the newest messages of the general chat."""
        await self.check()
        return self._entries.log.general_senders(before, limit, self.kept_after)

    async def read_private(
        self, user_id: int, other_id: int, before: int | None, limit: int
    ) -> list[Message]:
        """The newest messages between two users."""
        await self.check()
        return self._entries.log.private(user_id, other_id, before, limit)

    async def chats(
        self, user_id: int, cursor: int, before: int | None, limit: int
    ) -> list[ChatSummary]:
        """The chats of a user, newest message first."""
        await self.check()
        return self._entries.chats.page(user_id, cursor, before, limit)

    async def mark_read(self, user_id: int, other_id: int | None, message_id: int) -> None:
        """Move the read mark of one chat on."""
        await self.check()
        self._entries.chats.mark_read(user_id, other_id, message_id)

    async def add_user(
        self, name: str, token_hash: bytes | None, cursor: int, now: datetime
    ) -> User:
        """Add a user with a name that nobody has."""
        await self.check()
        folded = names.fold(name)
        if (
            self.erasure.has_had(folded)
            or folded in self._ids_by_name
            or (token_hash is not None and token_hash in self.tokens)
        ):
            raise NameTaken("Somebody has that name.")
        user = User(len(self._users) + 1, name, now)
        self._users[user.id] = user
        self._ids_by_name[folded] = user.id
        self._cursors[user.id] = cursor
        if token_hash is not None:
            self.tokens.give(user.id, token_hash, "", now)
        return user

    async def user_by_id(self, user_id: int) -> User | None:
        """The user with that id."""
        await self.check()
        return self._users.get(user_id)

    async def user_by_name(self, name: str) -> User | None:
        """The user with that name."""
        await self.check()
        return self._users.get(self._ids_by_name.get(names.fold(name), 0))

    async def count_users(self) -> int:
        """How many users there are, without those who have left."""
        await self.check()
        return len(self._users) - self.erasure.count()

    async def users(self, after: int, limit: int) -> list[User]:
        """The users with a larger id, by id."""
        await self.check()
        # Users are never removed, so that their ids have no gaps.
        last = min(after + limit, len(self._users))
        return [self._users[user_id] for user_id in range(after + 1, last + 1)]

    async def users_by_id(self, user_ids: Collection[int]) -> list[User]:
        """The users with those ids, by id."""
        await self.check()
        return [self._users[i] for i in sorted(set(user_ids)) if i in self._users]

    async def users_by_prefix(self, prefix: str, limit: int) -> list[User]:
        """The users whose name begins with a prefix, by name."""
        await self.check()
        folded = names.fold(prefix)
        found = sorted(name for name in self._ids_by_name if name.startswith(folded))
        return [self._users[self._ids_by_name[name]] for name in found[:limit]]

    async def users_seen(self, since: datetime, after: int, limit: int) -> list[User]:
        """The users who were seen since then, by id."""
        await self.check()
        seen = (u for u in self._users.values() if u.id > after and u.last_seen >= since)
        return list(islice(seen, limit))

    async def cursor(self, user_id: int) -> int:
        """Up to where a user has read."""
        await self.check()
        return self._cursors.get(user_id, 0)

    def save_progress(self, user_id: int, cursor: int, last_seen: datetime) -> None:
        """Move a user's cursor and last sign of life on."""
        user = self._users.get(user_id)
        if user is None or not 0 <= cursor <= MAX_ID:
            return
        self._cursors[user_id] = max(cursor, self._cursors[user_id])
        if last_seen > user.last_seen:
            self._users[user_id] = User(user.id, user.name, last_seen)
