"""The SQLite store as the chat sees it: one thread writes, one reads, the reactor never waits.

A user's cursor is authoritative in memory, for no other process can have the file, and
is saved with the others' once a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from zope.interface import implementer

from chatter.log.interfaces import IChatStore
from chatter.log.lineage import Lineage, continued, new_epoch
from chatter.log.operated import IOperatedStore
from chatter.protocol import names
from chatter.protocol.errors import Gone
from chatter.protocol.scalars import MAX_ID
from chatter.stores.checking import Check
from chatter.stores.deleting import Deleting
from chatter.stores.known_cursors import KnownCursors
from chatter.stores.progress import Progress
from chatter.stores.sqlite import chats, entries, trimming, users
from chatter.stores.sqlite.database import Database, check, clear_errors
from chatter.stores.sqlite.epochs import read_epochs
from chatter.stores.sqlite.erasure import SQLiteErasure
from chatter.stores.sqlite.invitations import SQLiteInvitations
from chatter.stores.sqlite.location import path_of
from chatter.stores.sqlite.moderation import SQLiteModeration
from chatter.stores.sqlite.operated import OperatedSQLite
from chatter.stores.sqlite.reading import Reader
from chatter.stores.sqlite.tokens import SQLiteTokens, insert_user
from chatter.stores.sqlite.writing import Writer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Collection
    from datetime import datetime
    from pathlib import Path

    from chatter.log.entries import ChangeDraft, Entry, Sent
    from chatter.log.lineage import Epoch
    from chatter.log.pending import Pending
    from chatter.protocol.model import ChatSummary, Draft, Message, User
    from chatter.stores.deleting import Slice


@implementer(IChatStore)
class SQLiteStore(Service):
    """A store in a SQLite file.

    :param path: the file; it is made if it is missing.
    :param reactor: the reactor whose thread calls the methods.
    """

    name = "chatter SQLite store"
    _log = Logger()

    def __init__(self, path: Path, reactor: Any) -> None:
        self.listener: Callable[[list[Entry]], None] | None = None
        self.rewound: Callable[[int], None] | None = None
        self.trimmed: Callable[[int], None] | None = None
        self.kept_after = 0
        self.lineage = Lineage([new_epoch(0)])
        self.path = path
        self._reactor = reactor
        self._check = Check(reactor, self._check_now)
        self._progress = Progress(reactor, self._save_progress)
        self._cursors = KnownCursors()
        self._writer = Writer(reactor, path, self._report)
        self._reader = Reader(reactor, path)
        self.moderation = SQLiteModeration(self._writer, self._reader)
        self._operated = OperatedSQLite(path, reactor, self._writer, self._reader)
        self.invitations = SQLiteInvitations(self._writer)
        self.erasure = SQLiteErasure(self._writer, self._reader)
        self.tokens = SQLiteTokens(self._reader, self._writer)
        self._deleting = Deleting(reactor, self._delete_slice, duty=trimming.DUTY)
        self._slices = trimming.Slices(reactor.seconds)
        self._database: Database
        self._connections: list[sqlite3.Connection] = []

    def __conform__(self, interface: object) -> OperatedSQLite | None:
        return self._operated if interface is IOperatedStore else None

    @classmethod
    def make_store(cls, location: str, reactor: Any) -> SQLiteStore:
        """Make a store from ``sqlite:PATH``."""
        return cls(path_of(location), reactor)

    @classmethod
    def check_store(cls, location: str) -> None:
        """See whether the file can be opened; nothing is made."""
        check(path_of(location))

    def startService(self) -> Deferred[None]:
        """Open the file; fires once the store can be used."""
        return Deferred.fromCoroutine(self._start())

    def stopService(self) -> Deferred[None]:
        """Finish what is under way, save the cursors, close the file."""
        return Deferred.fromCoroutine(self._stop())

    async def _start(self) -> None:
        super().startService()
        try:
            epoch = await self._in_thread(self._open)
        except BaseException:
            self.running = False
            raise
        # Another process may have had the file meanwhile.
        self._cursors = KnownCursors()
        writing, reading = self._connections
        self._writer.start(self._database, writing, epoch)
        self._reader.start(reading)
        self._progress.start()
        self._deleting.start()
        if self.kept_after:
            self._deleting.wake()
        self._log.info(
            "Opened {path} at message {last_id}.", path=self.path, last_id=epoch.began_after
        )

    async def _stop(self) -> None:
        if not self.running:
            return
        super().stopService()
        for each in (self._deleting, self._progress, self._writer, self._reader):
            await each.stop()
        await self._in_thread(self._close)
        self._log.info("Closed {path}.", path=self.path)

    def _in_thread(self, work: Callable[[], Any]) -> Deferred[Any]:
        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), work)

    def _open(self) -> Epoch:
        self._database = Database(self.path)
        try:
            with clear_errors(self.path):
                for _ in range(2):
                    self._connections.append(self._database.connect())
                connection = self._connections[0]
                # The file may be another one than before, such as a backup.
                epoch = new_epoch(entries.last_id(connection))
                self.lineage = Lineage(continued(read_epochs(connection), epoch))
                self.kept_after = trimming.kept_after(connection)
                self._database.watch_files()
                return epoch
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        while self._connections:
            self._connections.pop().close()
        self._database.close()

    # Writing

    def append(self, draft: Draft) -> Awaitable[Message]:
        """Append a message."""
        return self._writer.submit(draft)

    async def change(self, draft: ChangeDraft) -> tuple[int | None, Message]:
        """Edit or withdraw a message."""
        if draft.message_id <= self.kept_after:
            raise Gone
        changed: tuple[int | None, Message] = await self._writer.submit(draft)
        return changed

    async def trim(self, until: int) -> None:
        """Keep only the entries after an id."""
        kept_after: int = await self._writer.submit(
            lambda connection: trimming.trim(connection, until)
        )
        if kept_after > self.kept_after:
            self.kept_after = kept_after
            if self.trimmed is not None:
                self.trimmed(kept_after)
            self._deleting.wake()

    async def _delete_slice(self) -> Slice:
        until = self.kept_after
        done: tuple[int, Slice] = await self._writer.submit(
            lambda connection: self._slices.delete(connection, until)
        )
        number, deleted = done
        if number:
            self._writer.has_deleted()
        return deleted

    async def add_user(
        self, name: str, token_hash: bytes | None, cursor: int, now: datetime
    ) -> User:
        """Add a user with a name that nobody has."""
        user: User = await self._writer.submit(
            lambda connection: insert_user(connection, name, token_hash, cursor, now)
        )
        return user

    async def mark_read(self, user_id: int, other_id: int | None, message_id: int) -> None:
        """Move the read mark of one chat on."""
        await self._writer.submit(
            lambda connection: chats.mark_read(
                connection, user_id, other_id, message_id, self.kept_after
            )
        )

    def _report(self, new: list[Entry]) -> None:
        if self.listener is not None:
            self.listener(new)

    # Reading

    async def last_id(self) -> int:
        """The id of the newest entry."""
        return await self._reader.submit(entries.last_id)

    async def read_feed(self, user_id: int, after: int, limit: int) -> list[Entry]:
        """What a user may see after an id."""
        return await self._reader.submit(
            lambda connection: entries.read_feed(connection, user_id, after, limit, self.kept_after)
        )

    async def count_messages(self, after: int, until: int) -> tuple[int, int]:
        """How many messages there are in a stretch."""
        return await self._reader.submit(
            lambda connection: trimming.count_messages(connection, after, until)
        )

    async def old_entries(
        self, after: int, until: int, before: datetime, limit: int
    ) -> tuple[int, int]:
        """How many entries of a stretch come before the first one that is not old."""
        return await self._reader.submit(
            lambda connection: trimming.old_entries(connection, after, until, before, limit)
        )

    async def read_message(self, message_id: int) -> Message | None:
        """The message with that id."""
        return await self._reader.submit(
            lambda connection: entries.read_message(connection, message_id, self.kept_after)
        )

    async def read_sent(self, sender_id: int, key: str) -> Message | None:
        """The message that a user has sent with a key."""
        used = (sender_id, key)
        found = await self._reader.submit(
            lambda connection: entries.messages_by_key(connection, [used]).get(used)
        )
        if isinstance(found, Gone):
            raise found
        return found

    async def read_general(self, before: int | None, limit: int) -> list[Message]:
        """The newest messages of the general chat."""
        return await self._read_messages(entries.READ_GENERAL, before=_below(before), limit=limit)

    async def read_general_senders(self, before: int | None, limit: int) -> list[Sent]:
        """Who has sent the newest messages of the general chat."""
        wanted = {"before": _below(before), "limit": limit, "kept_after": self.kept_after}
        return await self._reader.submit(
            lambda connection: entries.read_senders(connection, wanted)
        )

    async def read_private(
        self, user_id: int, other_id: int, before: int | None, limit: int
    ) -> list[Message]:
        """The newest messages between two users."""
        return await self._read_messages(
            entries.READ_PRIVATE,
            user_id=user_id,
            other_id=other_id,
            before=_below(before),
            limit=limit,
        )

    async def user_by_id(self, user_id: int) -> User | None:
        """The user with that id."""
        return await self._find_user("id", user_id)

    async def user_by_name(self, name: str) -> User | None:
        """The user with that name."""
        return await self._find_user("folded_name", names.fold(name))

    async def count_users(self) -> int:
        """How many users there are, without those who have left."""
        return await self._reader.submit(users.count_users)

    async def users(self, after: int, limit: int) -> list[User]:
        """The users with a larger id, by id."""
        return await self._reader.submit(
            lambda connection: users.read_users(connection, after, limit)
        )

    async def users_by_id(self, user_ids: Collection[int]) -> list[User]:
        """The users with those ids, by id."""
        wanted = list(user_ids)
        return await self._reader.submit(
            lambda connection: users.read_users_by_id(connection, wanted)
        )

    async def users_by_prefix(self, prefix: str, limit: int) -> list[User]:
        """The users whose name begins with a prefix, by name."""
        folded = names.fold(prefix)
        return await self._reader.submit(
            lambda connection: users.read_users_by_prefix(connection, folded, limit)
        )

    async def users_seen(self, since: datetime, after: int, limit: int) -> list[User]:
        """The users who were seen since then, by id."""
        return await self._reader.submit(
            lambda connection: users.read_users_seen(connection, since, after, limit)
        )

    async def chats(
        self, user_id: int, cursor: int, before: int | None, limit: int
    ) -> list[ChatSummary]:
        """The chats of a user, newest message first."""
        return await self._reader.submit(
            lambda connection: chats.read_chats(
                connection, user_id, cursor, before, limit, self.kept_after
            )
        )

    def _read_messages(self, statement: str, **parameters: int) -> Pending[list[Message]]:
        parameters["kept_after"] = self.kept_after
        return self._reader.submit(
            lambda connection: entries.read_messages(connection, statement, parameters)
        )

    def _find_user(self, column: str, value: int | str) -> Pending[User | None]:
        return self._reader.submit(lambda connection: users.find_user(connection, column, value))

    # Cursors

    async def cursor(self, user_id: int) -> int:
        """Up to where a user has read."""
        known = self._cursors.get(user_id) if self.running else None
        if known is None:
            # One that is being saved now may be saved too late to be read, and forgotten then.
            before = self._progress.cursor(user_id)
            saved = await self._reader.submit(
                lambda connection: users.read_cursor(connection, user_id)
            )
            moved = max(before, self._progress.cursor(user_id))
            known = self._cursors.learn(user_id, max(saved, moved))
        return known

    def save_progress(self, user_id: int, cursor: int, last_seen: datetime) -> None:
        """Move a user's cursor and last sign of life on."""
        self._progress.move(user_id, cursor, last_seen)
        self._cursors.move(user_id, cursor)

    async def _save_progress(self, progress: list[tuple[int, int, datetime]]) -> None:
        await self._writer.submit(lambda connection: users.save_progress(connection, progress))

    async def check(self) -> None:
        """Raise unless the store can serve, within about a second."""
        await self._check.result()

    async def _check_now(self) -> None:
        await self._reader.check()
        await self._writer.check()


def _below(before: int | None) -> int:
    return MAX_ID if before is None else before
