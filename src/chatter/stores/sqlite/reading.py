"""The reading side of the SQLite store: one thread, one connection, some reads at a time."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from twisted.logger import Logger

from chatter.protocol.errors import StoreUnavailable
from chatter.repeated_errors import Reasons
from chatter.stores.batches import Batches
from chatter.stores.sqlite.writing import FAULTS_OF_A_JOB
from chatter.stores.worker_thread import WorkerThread

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chatter.log.pending import Pending

Result = TypeVar("Result")

Read: TypeAlias = "Callable[[sqlite3.Connection], Any]"


class Reader:
    """Reads, and never waits for the writer.

    :param reactor: an ``IReactorTime`` and ``IReactorFromThreads`` provider.
    :param path: the file, for the log.
    """

    _log = Logger()

    def __init__(self, reactor: Any, path: Path) -> None:
        self._thread = WorkerThread(reactor, "chatter SQLite reader")
        self._batches: Batches[Read] = Batches(reactor, self._read_batch)
        self._trouble = Reasons(
            self._log,
            f"The database {path} can't be read",
            f"The database {path} can be read again.",
        )
        self._connection: sqlite3.Connection

    def start(self, connection: sqlite3.Connection) -> None:
        """Take jobs from now on.

        :param connection: used by nobody else until :meth:`stop` is done.
        """
        self._connection = connection
        self._thread.start()
        self._batches.start()

    async def stop(self) -> None:
        """Take no more jobs, and finish those that were submitted."""
        await self._batches.stop()
        self._thread.stop()

    def submit(self, job: Callable[[sqlite3.Connection], Result]) -> Pending[Result]:
        """Call something with the connection; fires with what it returns."""
        return self._batches.submit(job)

    async def check(self) -> None:
        """See that the database can be read.

        :raises StoreUnavailable: if it can't.
        """
        await self.submit(_read_something)

    async def _read_batch(self, batch: list[Read]) -> list[Any]:
        try:
            results = await self._thread.run(lambda: [job(self._connection) for job in batch])
        except FAULTS_OF_A_JOB:
            raise
        except sqlite3.Error as error:
            self._trouble.failed(error)
            raise StoreUnavailable("The chat can't read its log now.", 5) from error
        self._trouble.worked()
        return results


def _read_something(connection: sqlite3.Connection) -> None:
    connection.execute("SELECT last_seen FROM users LIMIT 1").fetchone()
