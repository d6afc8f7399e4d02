"""What an operator may want of a SQLite store."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.threads import deferToThreadPool
from zope.interface import implementer

from chatter.log.operated import IOperatedStore
from chatter.stores.sqlite.backups import SUFFIXES, back_up
from chatter.stores.sqlite.entries import last_id
from chatter.stores.sqlite.times import moment

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from chatter.histograms import BatchCounts
    from chatter.stores.sqlite.reading import Reader
    from chatter.stores.sqlite.writing import Writer

READ_OLDEST = """
    SELECT sent_at FROM log WHERE id > (SELECT kept_after FROM log_end) ORDER BY id LIMIT 1
"""


@implementer(IOperatedStore)
class OperatedSQLite:
    """Backs a SQLite file up, and says how large it is.

    :param reactor: the reactor whose threads do what blocks.
    """

    def __init__(self, path: Path, reactor: Any, writer: Writer, reader: Reader) -> None:
        self._path = path
        self._reactor = reactor
        self._batches = writer.batches
        self._reader = reader

    def count_writes(self) -> BatchCounts:
        """Count the batches that are written from now on."""
        return self._batches.count()

    def waiting(self) -> int:
        """How many writes wait for their batch."""
        return len(self._batches)

    async def end(self) -> tuple[int, datetime | None]:
        """The id of the newest entry, and when the oldest one was made."""
        return await self._reader.submit(_read_end)

    async def size(self) -> int:
        """The bytes of the file and its write-ahead log."""
        return sum(_size_of(f"{self._path}{suffix}") for suffix in SUFFIXES)

    async def back_up(self, path: Path) -> tuple[int, int]:
        """Copy the database to a new file, in a thread."""
        pool = self._reactor.getThreadPool()
        return await deferToThreadPool(self._reactor, pool, back_up, self._path, path)


def _read_end(connection: sqlite3.Connection) -> tuple[int, datetime | None]:
    found = connection.execute(READ_OLDEST).fetchone()
    return last_id(connection), None if found is None else moment(found[0])


def _size_of(path: str) -> int:
    """The size of a file; 0 if it is not there."""
    with suppress(OSError):
        return Path(path).stat().st_size
    return 0
