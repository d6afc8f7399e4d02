"""The store as the chat sees it: one session writes and listens, another one reads.

More of them would gain nothing.  Writes go through group commit, and all writers of a log
wait for one another anyway; reads of one turn of the reactor travel together.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from chatter.log.interfaces import IChatStore
from chatter.log.limited_drafts import LimitedDraft, LimitReached
from chatter.log.operated import IOperatedStore
from chatter.protocol import names
from chatter.protocol.errors import Gone, StoreUnavailable
from chatter.protocol.scalars import MAX_ID
from chatter.stores.checking import Check
from chatter.stores.deleting import Deleting, Slice
from chatter.stores.postgres import chats, entries, session_start, trimming, users
from chatter.stores.postgres.connected_log import ConnectedLog
from chatter.stores.postgres.database import Database
from chatter.stores.postgres.erasure import PostgresErasure
from chatter.stores.postgres.invitations import PostgresInvitations
from chatter.stores.postgres.moderation import PostgresModeration
from chatter.stores.postgres.operated import OperatedPostgres
from chatter.stores.postgres.session import number, query
from chatter.stores.postgres.tokens import PostgresTokens
from chatter.stores.postgres.write_batch import Moved, NewUser, append_limited
from chatter.stores.postgres.writing import Writer
from chatter.stores.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from chatter.log.entries import ChangeDraft, Entry, Sent
    from chatter.log.lineage import Lineage
    from chatter.protocol.model import ChatSummary, Draft, Message, User


PATIENCE_AT_THE_END = 1.5
"""A store that stops waits no longer for its database."""


@implementer(IChatStore)
class PostgresStore(Service):
    """A store in a PostgreSQL database, which several servers share as one chat.

    :param database: where it is.
    :param reactor: the reactor in which everything is done.
    """

    name = "chatter PostgreSQL store"
    _log = Logger()

    def __init__(self, database: Database, reactor: Any) -> None:
        self.listener: Callable[[list[Entry]], None] | None = None
        self.rewound: Callable[[int], None] | None = None
        self.trimmed: Callable[[int], None] | None = None
        self._database = database
        self._reactor = reactor
        self._check = Check(reactor, self._check_now)
        self._progress = Progress(reactor, self._save_progress, interval=0)
        self._deleting = Deleting(reactor, self._delete_slice, duty=trimming.DUTY)
        self._deleted_until = 0
        self._connected = ConnectedLog(
            reactor, database, self._report, self._rewind, self._report_trimmed
        )
        self._tail = self._connected.tail
        self._reads = self._connected.reads
        self._writes = Writer(reactor, self._connected, str(database))
        self.moderation = PostgresModeration(self._writes, self._connected)
        self._operated = OperatedPostgres(self._reads, self._writes)
        self.invitations = PostgresInvitations(self._writes)
        self.erasure = PostgresErasure(self._writes, self._connected)
        self.tokens = PostgresTokens(self._reads, self._writes, self._connected.revocations)

    @property
    def lineage(self) -> Lineage:
        """The epochs of the log."""
        return self._connected.lineage

    @property
    def kept_after(self) -> int:
        """Up to this id the log is no longer kept."""
        return self._connected.kept_after

    def __conform__(self, interface: object) -> OperatedPostgres | None:
        return self._operated if interface is IOperatedStore else None

    @classmethod
    def make_store(cls, location: str, reactor: Any) -> PostgresStore:
        """Make a store from ``postgresql://…``."""
        return cls(Database(location), reactor)

    @classmethod
    def check_store(cls, location: str) -> None:
        """See whether the database can be used; one that is away now may be there later."""
        Database(location).check()

    def startService(self) -> Deferred[None]:
        """Connect; fires once the store can be used."""
        return Deferred.fromCoroutine(self._start())

    def stopService(self) -> Deferred[None]:
        """Finish what is under way, save the cursors, and disconnect."""
        return Deferred.fromCoroutine(self._stop())

    async def _start(self) -> None:
        super().startService()
        try:
            await self._connected.open()
        except BaseException:
            self.running = False
            raise
        self._writes.start()
        self._progress.start()
        self._deleting.start()
        if self.kept_after:
            self._deleting.wake()

    async def _stop(self) -> None:
        if not self.running:
            return
        super().stopService()
        self._connected.hurry(PATIENCE_AT_THE_END)
        await self._deleting.stop()
        await self._progress.stop()
        await self._writes.stop()
        await self._connected.close()
        self._log.info("Closed {database}.", database=str(self._database))

    # Writing

    async def append(self, draft: Draft) -> Message:
        """Append a message."""
        limited = append_limited(draft) if isinstance(draft, LimitedDraft) else None
        try:
            message: Message = await self._writes.submit(limited or draft)
        except LimitReached:
            await self._tail.catch_up()
            raise
        # It is stored; readers get it once the log can be read on.
        with suppress(StoreUnavailable):
            await self._tail.reached(message.id)
        return message

    async def change(self, draft: ChangeDraft) -> tuple[int | None, Message]:
        """Edit or withdraw a message."""
        if draft.message_id <= self.kept_after:
            raise Gone
        change_id: int | None
        message: Message
        change_id, message = await self._writes.submit(draft)
        if change_id is None:
            # Another server may have made the change that this one repeats.
            await self._tail.catch_up()
        else:
            await self._tail.reached(change_id)
        return change_id, message

    async def add_user(
        self, name: str, token_hash: bytes | None, cursor: int, now: datetime
    ) -> User:
        """Add a user with a name that nobody has."""
        hexadecimal = None if token_hash is None else token_hash.hex()
        wanted = NewUser(name, names.fold(name), hexadecimal, cursor, now)
        user: User = await self._writes.submit(wanted)
        return user

    async def mark_read(self, user_id: int, other_id: int | None, message_id: int) -> None:
        """Move the read mark of one chat on."""
        await self._writes.submit(chats.Mark(user_id, other_id, message_id))

    def _report(self, new: list[Entry]) -> None:
        if self.listener is not None:
            self.listener(new)

    def _rewind(self, last_id: int) -> None:
        self._progress.rewind(last_id)
        # What was deleted may be there again.
        self._deleted_until = 0
        if self.rewound is not None:
            self.rewound(last_id)

    def _report_trimmed(self, until: int) -> None:
        if self.trimmed is not None:
            self.trimmed(until)
        self._deleting.wake()

    async def trim(self, until: int) -> None:
        """Keep only the entries after an id."""
        until = min(until, await self.last_id())
        await self._writes.submit(trimming.trim(until))
        self._connected.learn_kept_after(until)

    async def _delete_slice(self) -> Slice:
        began = self._reactor.seconds()
        row = await self._reads.row(trimming.delete_slice(self._deleted_until))
        deleted_until = number(row)
        if deleted_until is not None:
            self._deleted_until = deleted_until
        return Slice(deleted_until is None, self._reactor.seconds() - began)

    async def count_messages(self, after: int, until: int) -> tuple[int, int]:
        """How many messages there are in a stretch."""
        general, private = await self._reads.row(trimming.count_messages(after, until))
        assert general is not None
        assert private is not None
        return int(general), int(private)

    async def old_entries(
        self, after: int, until: int, before: datetime, limit: int
    ) -> tuple[int, int]:
        """How many entries of a stretch come before the first one that is not old."""
        wanted = trimming.old_entries(after, until, before, limit)
        count, last = await self._reads.row(wanted)
        assert count is not None
        return int(count), after if last is None else int(last)

    async def last_id(self) -> int:
        """The id of the newest entry that the listener has got."""
        if not self._tail.is_open:
            raise StoreUnavailable("The store is not open.")
        return self._tail.reported

    # Reading

    async def read_feed(self, user_id: int, after: int, limit: int) -> list[Entry]:
        """What a user may see after an id."""
        return await self._connected.read_feed(user_id, after, limit)

    async def read_message(self, message_id: int) -> Message | None:
        """The message with that id."""
        found = await self._read_messages(entries.READ_MESSAGE, message_id, self.kept_after)
        return found[0] if found else None

    async def read_sent(self, sender_id: int, key: str) -> Message | None:
        """The message that a user has sent with a key."""
        found = await self._read_messages(entries.READ_SENT, sender_id, key)
        if found and not found[0].text:
            raise Gone
        return found[0] if found else None

    async def read_general(self, before: int | None, limit: int) -> list[Message]:
        """The newest messages of the general chat."""
        return await self._read_messages(
            entries.READ_GENERAL, _below(before), limit, self.kept_after
        )

    async def read_general_senders(self, before: int | None, limit: int) -> list[Sent]:
        """Who has sent the newest messages of the general chat."""
        wanted = query(entries.READ_GENERAL_SENDERS, _below(before), limit, self.kept_after)
        return entries.senders(await self._reads.row(wanted))

    async def read_private(
        self, user_id: int, other_id: int, before: int | None, limit: int
    ) -> list[Message]:
        """The newest messages between two users."""
        return await self._read_messages(
            entries.READ_PRIVATE, user_id, other_id, _below(before), limit, self.kept_after
        )

    async def user_by_id(self, user_id: int) -> User | None:
        """The user with that id."""
        return await self._find_user(users.USER_BY_ID, user_id)

    async def user_by_name(self, name: str) -> User | None:
        """The user with that name."""
        return await self._find_user(users.USER_BY_NAME, names.fold(name))

    async def count_users(self) -> int:
        """How many users there are, without those who have left."""
        return number(await self._reads.row(users.COUNT_USERS)) or 0

    async def users(self, after: int, limit: int) -> list[User]:
        """The users with a larger id, by id."""
        return users.users_of(await self._reads.row(query(users.READ_USERS, after, limit)))

    async def users_by_id(self, user_ids: Collection[int]) -> list[User]:
        """The users with those ids, by id."""
        return users.users_of(await self._reads.row(users.read_users_by_id(user_ids)))

    async def users_by_prefix(self, prefix: str, limit: int) -> list[User]:
        """The users whose name begins with a prefix, by name."""
        folded = names.fold(prefix)
        end = folded + names.AFTER_ALL
        wanted = query(users.READ_USERS_BY_PREFIX, folded, end, limit)
        return users.users_of(await self._reads.row(wanted))

    async def users_seen(self, since: datetime, after: int, limit: int) -> list[User]:
        """The users who were seen since then, by id."""
        wanted = query(users.READ_USERS_SEEN, since.isoformat(), after, limit)
        return users.users_of(await self._reads.row(wanted))

    async def chats(
        self, user_id: int, cursor: int, before: int | None, limit: int
    ) -> list[ChatSummary]:
        """The chats of a user, newest message first."""
        kept_after = self.kept_after
        wanted = [chats.read_private_chats(user_id, cursor, before, limit, kept_after)]
        if before is None:
            wanted.insert(0, chats.read_general_chat(user_id, cursor, kept_after))
        return [chat for row in await self._reads.rows(wanted) for chat in chats.chats(row)]

    async def _read_messages(self, sql: bytes, *parameters: int | str) -> list[Message]:
        return entries.messages(await self._reads.row(query(sql, *parameters)))

    async def _find_user(self, sql: bytes, value: int | str) -> User | None:
        found = users.users_of(await self._reads.row(query(sql, value)))
        return found[0] if found else None

    # Cursors

    async def cursor(self, user_id: int) -> int:
        """Up to where a user has read, here or at another server."""
        # What moves while the database is read may be saved too late to be found there.
        before = self._progress.cursor(user_id)
        saved = await self._reads.cursor(user_id)
        return max(before, saved, self._progress.cursor(user_id))

    def save_progress(self, user_id: int, cursor: int, last_seen: datetime) -> None:
        """Move a user's cursor and last sign of life on."""
        self._progress.move(user_id, cursor, last_seen)

    async def _save_progress(self, progress: list[tuple[int, int, datetime]]) -> None:
        await self._writes.submit([Moved(*moved) for moved in progress])

    async def check(self) -> None:
        """Raise unless the store can serve, within about a second."""
        await self._check.result()

    async def _check_now(self) -> None:
        await self._writes.check()
        await self._reads.row(session_start.ALIVE)


def _below(before: int | None) -> int:
    return MAX_ID if before is None else before
