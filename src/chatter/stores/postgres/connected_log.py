"""The connection to the log: two sessions, the end of the log, and its epochs.

One session writes, and listens; the other one reads.  Each first checks which log it is
connected to.  What this process has reported to its listener is a position like any reader's.
After a failover to a replica that lacked the end of the log, the log differs after some id:
the process goes back to that id, and logs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger

from chatter.log.lineage import Lineage, new_epoch
from chatter.stores.postgres import entries, session_start
from chatter.stores.postgres.database_clock import DatabaseClock
from chatter.stores.postgres.reading import Reader
from chatter.stores.postgres.reconnecting import ReconnectingSession
from chatter.stores.postgres.revocations import Revocations
from chatter.stores.postgres.session import query
from chatter.stores.postgres.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from twisted.python.failure import Failure

    from chatter.log.entries import Entry
    from chatter.stores.postgres.database import Database
    from chatter.stores.postgres.session import Query, Row


class ConnectedLog:
    """The log in a database.

    :param reactor: the reactor in which everything is done.
    :param listener: called with entries, each once, in id order.
    :param rewound: called with an id when all that was reported after it is lost.
    :param trimmed: called with an id when all up to it is no longer kept.

    :ivar writer: the session that writes.
    :ivar clock: of the database, as that session has told it.
    :ivar reader: the session of :attr:`reads`.
    :ivar tail: how far the log was reported.
    :ivar lineage: the epochs of the log.
    :ivar revocations: whose tokens were revoked.
    :ivar kept_after: up to this id the log is no longer kept.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        database: Database,
        listener: Callable[[list[Entry]], None],
        rewound: Callable[[int], None],
        trimmed: Callable[[int], None],
    ) -> None:
        self.lineage = Lineage([new_epoch(0)])
        self.kept_after = 0
        self._is_open = False
        self._name = str(database)
        self._rewound = rewound
        self.revocations = Revocations()
        self._trimmed = trimmed
        self.clock = DatabaseClock(reactor.seconds)
        self.tail = Tail(reactor, self._read_log, listener)
        self.writer = ReconnectingSession(
            reactor,
            database,
            "writing",
            self._greeting_of_writer,
            self._greeted_as_writer,
            back=self.tail.look,
            notified=self._notified,
        )
        self.reader = ReconnectingSession(
            reactor,
            database,
            "reading",
            self._greeting_of_reader,
            self._greeted_as_reader,
            back=self.tail.look,
        )
        self.reads = Reader(reactor, self.reader, self._name)

    async def open(self) -> None:
        """Connect, or try until that works.

        :raises StoreUnavailable: if it never will; nothing is left open then.
        """
        self._is_open = True
        try:
            await self.reader.open()
            await self.writer.open()
        except BaseException:
            await self.close()
            raise
        self.reads.start()

    def hurry(self, patience: float) -> None:
        """Wait no longer than so many seconds for a result, and connect no more."""
        self._is_open = False
        for session in (self.writer, self.reader):
            session.hurry(patience)

    async def close(self) -> None:
        """Disconnect; nothing must be under way in the writer."""
        self._is_open = False
        await self.tail.stop()
        await self.reads.stop()
        await gatherResults(
            [Deferred.fromCoroutine(session.close()) for session in (self.writer, self.reader)]
        )

    def wrote(self, new: list[Entry], reported_before: int) -> None:
        """Report what this process has just written, if it was not read meanwhile.

        :param reported_before: what was reported when the write was sent.  All of that is in
            the log, so that what is written after it has a larger id.
        """
        if new and new[0].id <= reported_before:
            self.writer.renew("the log is shorter than it was")
        self.tail.wrote(new)

    def _enter_epoch(self) -> Query:
        # No id that was reported here is given again.
        return query(session_start.ENTER_EPOCH, self.tail.reported if self.tail.is_open else 0)

    def _greeting_of_writer(self) -> list[Query]:
        # Where a session writes, its own notifications wake no other process.
        return [
            session_start.BEGIN_SESSION,
            session_start.LISTEN,
            session_start.LOCK_LOG,
            self.revocations.read(),
            self._enter_epoch(),
            session_start.READ_CLOCK,
        ]

    def _greeting_of_reader(self) -> list[Query]:
        return [session_start.BEGIN_SESSION, self._enter_epoch()]

    def _greeted_as_writer(self, rows: list[Row]) -> None:
        *_, revocations, epoch, (now,) = rows
        assert now is not None
        self.clock.start(float(now))
        self.revocations.were_read(revocations)
        self._entered(epoch, is_of_reader=False)

    def _greeted_as_reader(self, rows: list[Row]) -> None:
        self._entered(rows[-1], is_of_reader=True)

    def _entered(self, row: Row, *, is_of_reader: bool) -> None:
        """Learn from the greeting of a session which log this is."""
        if not self._is_open:
            return  # It was reached too late.
        last_id, lineage, kept_after = session_start.entered(row)
        earlier, self.lineage = self.lineage, lineage
        if not self.tail.is_open:
            self.tail.start(last_id)
            self.learn_kept_after(kept_after)
            self._log.info(
                "Opened {database} at message {last_id}.", database=self._name, last_id=last_id
            )
            return
        shared = lineage.shared(earlier.current, self.tail.reported)
        if shared < self.tail.reported:
            # What was lost may be that something is no longer kept, too.
            self.kept_after = min(kept_after, self.kept_after)
            self._rewind(shared, is_of_reader=is_of_reader)
        self.learn_kept_after(kept_after)

    def _rewind(self, last_id: int, *, is_of_reader: bool) -> None:
        self._log.critical(
            "{database} has lost the end of the log: what came after message {last_id}, of "
            "which this server has reported up to message {reported}. Was there a failover to a "
            "replica that had not got all, or was a backup restored?",
            database=self._name,
            last_id=last_id,
            reported=self.tail.reported,
        )
        # The other session may still be with the server that was before.
        if is_of_reader:
            self.writer.renew("the end of the log was lost")
        else:
            _in_background(self._compare_reader())
        # Who is told of it may ask at once where the log ends.
        self.tail.rewind(last_id)
        self._rewound(last_id)

    async def _compare_reader(self) -> None:
        _, lineage, _ = session_start.entered(await self.reads.row(self._enter_epoch()))
        if lineage.current != self.lineage.current:
            self.reader.renew("it reads another log than is written to")

    def _notified(self, sender: int, payload: bytes) -> None:
        """Read on: another node has written.  What we wrote is reported without a notification."""
        if payload == session_start.NEW_EPOCH:
            _in_background(self._enter_anew())
        elif sender != self.writer.backend_pid and self.revocations.notified(payload):
            return
        elif sender != self.writer.backend_pid and payload.isdigit():
            self.tail.hint(int(payload))

    async def _enter_anew(self) -> None:
        self._entered(await self.reads.row(self._enter_epoch()), is_of_reader=True)

    async def _read_log(self, after: int, limit: int) -> list[Entry]:
        wanted = entries.read_log(after, limit, self.kept_after)
        return self._known(await self.reads.row(wanted))

    async def read_feed(self, user_id: int, after: int, limit: int) -> list[Entry]:
        """What a user may see after an id."""
        wanted = entries.read_feed(user_id, after, limit, self.kept_after)
        return self._known(await self.reads.row(wanted))

    def _known(self, row: Row) -> list[Entry]:
        found, kept_after = entries.entries(row)
        self.learn_kept_after(kept_after)
        return found

    def learn_kept_after(self, until: int) -> None:
        """Note that the log is no longer kept up to an id, and tell it if that is new."""
        if until > self.kept_after:
            self.kept_after = until
            self._trimmed(until)


def _in_background(look: Coroutine[Any, Any, None]) -> None:
    """Look at the log; what can't be read now is learnt from the next greeting."""
    Deferred.fromCoroutine(look).addErrback(_ignore)


def _ignore(_: Failure) -> None:
    pass
