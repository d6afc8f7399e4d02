"""The writing side of the SQLite store: one thread, one connection, a batch a transaction.

What is submitted while a batch is under way goes into the next one (group commit).  A job
is a draft of an entry, something that appends entries, or something else that is called
with the connection.
"""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from twisted.logger import Logger

from chatter.log.entries import ChangeDraft
from chatter.protocol.errors import (
    Forbidden,
    Gone,
    KeyUsed,
    NameTaken,
    StoreUnavailable,
    TooManyTokens,
    UnknownRecipient,
)
from chatter.protocol.model import Draft
from chatter.repeated_errors import Reasons
from chatter.stores.batches import Batches
from chatter.stores.sqlite import entries, transactions
from chatter.stores.sqlite.epochs import save_epoch
from chatter.stores.sqlite.scrubbing import Scrubbing, empty_log
from chatter.stores.worker_thread import WorkerThread

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from twisted.internet.defer import Deferred

    from chatter.log.entries import Entry
    from chatter.log.lineage import Epoch
    from chatter.log.pending import Pending
    from chatter.stores.sqlite.database import Database


class Appending(NamedTuple):
    """A job that appends entries, which is done after all drafts of messages of its batch.

    :ivar work: called with the connection and the id of the first entry.  It returns the
        result of the job and the entries.
    """

    work: Callable[[sqlite3.Connection, int], tuple[Any, list[Entry]]]


Write: TypeAlias = "Draft | ChangeDraft | Appending | Callable[[sqlite3.Connection], Any]"

FAULTS_OF_A_JOB = (
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)
"""Errors that are about a job, and not about the database."""


REJECTIONS = (Forbidden, Gone, KeyUsed, NameTaken, TooManyTokens, UnknownRecipient)
"""Errors that are the result of a job, which has changed nothing then."""


SHORT_CHECKPOINT, LONG_CHECKPOINT = 250, 1000
"""With so many pages the write-ahead log is copied into the file, and nobody writes meanwhile.
The copy costs a few syncs of the disk, and the time for each page."""

MANY = 32
"""If so many write at the same time, long copies are worth their while."""


FILES_CHECKED = 0.005
"""After a commit it is looked whether the files are in place, if that was not done for so
many seconds: each look has the interpreter's lock change hands."""


class Writer:
    """Writes batches, one after the other.

    :param reactor: an ``IReactorTime`` and ``IReactorFromThreads`` provider.
    :param path: the file, for the log.
    :param committed: called in the reactor's thread with the new entries of each batch, in the
        order of their ids, before its jobs have their results.

    :ivar batches: the batches of what is written.
    """

    _log = Logger()

    def __init__(self, reactor: Any, path: Path, committed: Callable[[list[Entry]], None]) -> None:
        self._reactor = reactor
        self._folder = f"{path.resolve().parent}/"
        self._committed = committed
        self._thread = WorkerThread(reactor, "chatter SQLite writer")
        self.batches: Batches[Write] = Batches(reactor, self._write_batch)
        self._trouble = Reasons(
            self._log,
            f"The database {path} can't be written",
            f"The database {path} can be written again.",
        )
        self._scrubbing = Scrubbing(reactor, self._scrub)
        self._has_changed = False
        self._database: Database
        self._connection: sqlite3.Connection
        self._last_id = 0
        self._files_checked = 0.0
        self._checkpoint_pages = 0
        self._unsaved_epoch: Epoch | None = None

    def start(self, database: Database, connection: sqlite3.Connection, epoch: Epoch) -> None:
        """Take jobs from now on.

        :param connection: used by nobody else until :meth:`stop` is done.
        :param epoch: begins now, after the newest message.
        """
        self._database, self._connection = database, connection
        self._checkpoint_pages = 0
        self._last_id, self._unsaved_epoch = epoch.began_after, epoch
        self._thread.start()
        self._scrubbing.start()
        self.batches.start()

    async def stop(self) -> None:
        """Take no more jobs, and finish those that were submitted."""
        await self.batches.stop()
        self._scrubbing.stop()
        self._thread.stop()

    def has_deleted(self) -> None:
        """Have the write-ahead log emptied soon: it has texts that are no longer kept."""
        self._scrubbing.changed()

    def submit(self, job: Write) -> Pending[Any]:
        """Do a job in the next batch; fires with its result once that is durable."""
        return self.batches.submit(job)

    async def check(self) -> None:
        """See that a message can be written; after a failure, also that there is room for it.

        :raises StoreUnavailable: if it can't; its detail says why.
        """
        try:
            # A transaction of nothing takes the lock, and looks whether the file is there.
            await self.submit(entries.prepare_to_append)
            if self._trouble.reason is not None:
                await self.submit(transactions.take_room)
                await self.submit(transactions.give_room_back)
        except StoreUnavailable as error:
            if self._trouble.reason is None:
                raise
            # Where the file is, is nothing for everybody.
            why = self._trouble.reason.replace(self._folder, "")
            raise StoreUnavailable(f"{error.detail[:-1]}: {why}.", error.retry_after) from error

    async def _write_batch(self, batch: list[Write]) -> list[Any]:
        try:
            results, new = await self._thread.run(partial(self._write, batch))
        except FAULTS_OF_A_JOB:
            raise
        except (sqlite3.Error, StoreUnavailable) as error:
            self._trouble.failed(error)
            raise StoreUnavailable("The chat can't store anything now.", 5) from error
        if new or transactions.take_room in batch:
            self._trouble.worked()
        if new:
            self._committed(new)
        if self._has_changed:
            self._has_changed = False
            self._scrubbing.changed()
        return results

    def _scrub(self) -> Deferred[bool]:
        return self._thread.run(lambda: empty_log(self._connection))

    # In the thread

    def _write(self, batch: list[Write]) -> tuple[list[Any], list[Entry]]:
        """Write a batch in one transaction.

        :returns: for a draft its message, for a draft of a change the id of the change and
            the message, for any other job what it returns; and apart from these the
            entries that are new.
        """
        if self._trouble.reason is not None:
            self._database.check_files()
        self._choose_checkpoint(len(batch))
        drafts = [job for job in batch if isinstance(job, Draft)]
        if self._unsaved_epoch is None and len(drafts) == len(batch) <= entries.MOST_ROWS:
            # One statement is a transaction of its own.
            results: list[Any]
            results, new = entries.insert_messages(self._connection, drafts, self._last_id)
        else:
            results, new = transactions.in_transaction(
                self._connection, partial(self._do_all, batch, drafts)
            )
        if new:
            self._last_id = new[-1].id
            self._unsaved_epoch = None
        # What was written into a file that is not there any more is lost.
        now = self._reactor.seconds()
        if now - self._files_checked >= FILES_CHECKED:
            self._files_checked = now
            self._database.check_files()
        return results, new

    def _choose_checkpoint(self, writing: int) -> None:
        pages = SHORT_CHECKPOINT if writing < MANY else LONG_CHECKPOINT
        if pages != self._checkpoint_pages:
            self._connection.execute(f"PRAGMA wal_autocheckpoint = {pages}")
            self._checkpoint_pages = pages

    def _do_all(self, batch: list[Write], drafts: list[Draft]) -> tuple[list[Any], list[Entry]]:
        messages, new = entries.insert_messages(self._connection, drafts, self._last_id)
        message_of = iter(messages)
        results = [
            next(message_of) if isinstance(job, Draft) else self._do(job, new) for job in batch
        ]
        if new and self._unsaved_epoch is not None:
            save_epoch(self._connection, self._unsaved_epoch)
        return results, new

    def _do(
        self,
        job: ChangeDraft | Appending | Callable[[sqlite3.Connection], Any],
        new: list[Entry],
    ) -> Any:
        last_id = new[-1].id if new else self._last_id
        try:
            if isinstance(job, Appending):
                result, appended = job.work(self._connection, last_id + 1)
                new += appended
                return result
            if not isinstance(job, ChangeDraft):
                return job(self._connection)
            change, message = entries.change_message(self._connection, job, last_id + 1)
        except REJECTIONS as error:
            return error
        if change is None:
            return None, message
        new.append(change)
        self._has_changed = True
        return change.id, message
