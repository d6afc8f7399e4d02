"""The store as the chat sees it: one session writes and listens, another one reads.

More of them would gain nothing.  Writes go through group commit, and all writers of a log
wait for one another anyway; reads of one turn of the reactor travel together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from zope.interface import implementer

from chatter.log.interfaces import IChatStore
from chatter.protocol import names
from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.model import MAX_ID, ChatSummary, Draft, Message, User
from chatter.stores.batches import Batches
from chatter.stores.checking import in_time
from chatter.stores.postgres import chats, statements
from chatter.stores.postgres.database import Database
from chatter.stores.postgres.reading import Reader
from chatter.stores.postgres.reconnecting import ReconnectingSession
from chatter.stores.postgres.session import QueryFailed
from chatter.stores.postgres.statements import query
from chatter.stores.postgres.tail import Tail
from chatter.stores.postgres.writing import Moved, NewUser, TakeRoom, Write, WriteBatch
from chatter.stores.progress import Progress
from chatter.stores.reasons import Reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from chatter.stores.postgres.session import Query

PATIENCE_AT_THE_END = 1.5
"""A store that stops waits no longer for an answer of the database."""

MOST_AT_ONCE = 1000
"""A batch has at most so many parts, so that no batch keeps the log locked for long."""


@implementer(IChatStore)
class PostgresStore(Service):
    """A store in a PostgreSQL database, which several servers share as one chat.

    :param database: where it is.
    :param reactor: the reactor in which everything is done.
    """

    name = "chatter PostgreSQL store"
    _log = Logger()

    def __init__(self, database: Database, reactor: Any) -> None:
        self.listener: Callable[[list[Message]], None] | None = None
        self._database = database
        self._reactor = reactor
        self._refused = Reasons(
            self._log, f"{database} can't be written", f"{database} can be written again."
        )
        self._progress = Progress(reactor, self._save_progress, interval=0)
        self._tail = Tail(reactor, self._read_log, self._tell)
        self._writer = ReconnectingSession(
            reactor,
            database,
            "writing",
            self._greet_as_writer,
            back=self._tail.look,
            notified=self._notified,
        )
        self._reader = ReconnectingSession(
            reactor, database, "reading", self._greet_as_reader, back=self._tail.look
        )
        self._reads = Reader(reactor, self._reader, str(database))
        self._writes: Batches[Write] = Batches(reactor, self._write_batch, MOST_AT_ONCE, ahead=True)

    @classmethod
    def make_store(cls, location: str, reactor: Any) -> PostgresStore:
        """Make a store from ``postgresql://…``."""
        return cls(Database(location), reactor)

    @classmethod
    def check_store(cls, location: str) -> None:
        """Connect, and make the schema if it is not there."""
        Database(location).prepare()

    def startService(self) -> Deferred[None]:
        """Connect; fires once the store can be used."""
        return Deferred.fromCoroutine(self._start())

    def stopService(self) -> Deferred[None]:
        """Finish what is under way, save the cursors, and disconnect."""
        return Deferred.fromCoroutine(self._stop())

    async def _start(self) -> None:
        super().startService()
        pool = self._reactor.getThreadPool()
        try:
            await deferToThreadPool(self._reactor, pool, self._database.prepare)
            *_, last_id = await self._reader.open()
            await self._writer.open()
        except StoreUnavailable:
            self.running = False
            await self._reader.close()
            raise
        self._tail.start(statements.number(last_id))
        self._writes.start()
        self._reads.start()
        self._progress.start()
        self._log.info(
            "Opened {database} at message {last_id}.",
            database=str(self._database),
            last_id=self._tail.told,
        )

    async def _stop(self) -> None:
        if not self.running:
            return
        super().stopService()
        for link in (self._writer, self._reader):
            link.hurry(PATIENCE_AT_THE_END)
        await self._progress.stop()
        await self._writes.stop()
        await self._tail.stop()
        await self._reads.stop()
        await gatherResults(
            [Deferred.fromCoroutine(link.close()) for link in (self._writer, self._reader)]
        )
        self._log.info("Closed {database}.", database=str(self._database))

    # Writing

    async def append(self, draft: Draft) -> Message:
        """Append a message."""
        message: Message = await self._writes.submit(draft)
        await self._tail.reached(message.id)
        return message

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

    def _greet_as_writer(self) -> list[Query]:
        go_on = query(statements.GO_ON_AFTER, self._tail.told)
        # Where a session writes, its own notifications wake no other process.
        return [statements.BEGIN_SESSION, statements.LISTEN, statements.LOCK_LOG, go_on]

    async def _write_batch(self, writes: list[Write]) -> list[Any]:
        batch = WriteBatch(writes)
        try:
            (row,) = await self._writer.run(batch.queries)
        except StoreUnavailable as error:
            if isinstance(error.__cause__, QueryFailed):
                self._refused.failed(error.__cause__)
            raise
        if batch.proves_room:
            self._refused.worked()
        results, new = batch.results(row)
        self._tail.wrote(new)
        return results

    # The end of the log

    def _greet_as_reader(self) -> list[Query]:
        return [statements.BEGIN_SESSION, statements.LAST_ID]

    def _notified(self, sender: int, payload: bytes) -> None:
        """Hear that somebody has written; what we wrote ourselves is told without that."""
        if sender != self._writer.backend_pid and payload.isdigit():
            self._tail.hint(int(payload))

    async def _read_log(self, after: int, limit: int) -> list[Message]:
        return statements.messages(await self._reads.row(query(statements.READ_LOG, after, limit)))

    def _tell(self, messages: list[Message]) -> None:
        if self.listener is not None:
            self.listener(messages)

    async def last_id(self) -> int:
        """The id of the newest message that the listener was told of."""
        if not self._tail.is_open:
            raise StoreUnavailable("The store is not open.")
        return self._tail.told

    # Reading

    async def read_feed(self, user_id: int, after: int, limit: int) -> list[Message]:
        """What a user may see after an id."""
        return await self._read_messages(statements.READ_FEED, user_id, after, limit)

    async def read_general(self, before: int | None, limit: int) -> list[Message]:
        """The newest messages of the general chat."""
        return await self._read_messages(statements.READ_GENERAL, _below(before), limit)

    async def read_private(
        self, user_id: int, other_id: int, before: int | None, limit: int
    ) -> list[Message]:
        """The newest messages between two users."""
        return await self._read_messages(
            statements.READ_PRIVATE, user_id, other_id, _below(before), limit
        )

    async def user_by_id(self, user_id: int) -> User | None:
        """The user with that id."""
        return await self._find_user(statements.USER_BY_ID, user_id)

    async def user_by_name(self, name: str) -> User | None:
        """The user with that name."""
        return await self._find_user(statements.USER_BY_NAME, names.fold(name))

    async def user_by_token(self, token_hash: bytes) -> User | None:
        """The user whose token has that hash."""
        return await self._find_user(statements.USER_BY_TOKEN, token_hash.hex())

    async def users(self, after: int, limit: int) -> list[User]:
        """The users with a larger id, by id."""
        return statements.users(await self._reads.row(query(statements.READ_USERS, after, limit)))

    async def users_by_id(self, user_ids: Collection[int]) -> list[User]:
        """The users with those ids, by id."""
        return statements.users(await self._reads.row(statements.read_users_by_id(user_ids)))

    async def users_by_prefix(self, prefix: str, limit: int) -> list[User]:
        """The users whose name begins with a prefix, by name."""
        folded = names.fold(prefix)
        end = folded + names.AFTER_ALL
        wanted = query(statements.READ_USERS_BY_PREFIX, folded, end, limit)
        return statements.users(await self._reads.row(wanted))

    async def users_seen(self, since: datetime, after: int, limit: int) -> list[User]:
        """The users who were seen since then, by id."""
        wanted = query(statements.READ_USERS_SEEN, since.isoformat(), after, limit)
        return statements.users(await self._reads.row(wanted))

    async def chats(
        self, user_id: int, cursor: int, before: int | None, limit: int
    ) -> list[ChatSummary]:
        """The chats of a user, newest message first."""
        wanted = [chats.read_private_chats(user_id, cursor, before, limit)]
        if before is None:
            wanted.insert(0, chats.read_general_chat(user_id, cursor))
        return [chat for row in await self._reads.rows(wanted) for chat in chats.chats(row)]

    async def _read_messages(self, sql: bytes, *parameters: int) -> list[Message]:
        return statements.messages(await self._reads.row(query(sql, *parameters)))

    async def _find_user(self, sql: bytes, value: int | str) -> User | None:
        found = statements.users(await self._reads.row(query(sql, value)))
        return found[0] if found else None

    # Cursors

    async def cursor(self, user_id: int) -> int:
        """Up to where a user has read, here or at another server."""
        # What moves while the database is asked may be saved too late to be read.
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
        self._writer.check()
        await in_time(self._reactor, self._check())

    async def _check(self) -> None:
        await self._reads.row(statements.ALIVE)
        # To write nothing takes the lock on the log; after a failure only writing proves it.
        await self._writes.submit([] if self._refused.reason is None else TakeRoom())


def _below(before: int | None) -> int:
    return MAX_ID if before is None else before
