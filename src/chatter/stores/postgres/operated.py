"""What an operator may want of a PostgreSQL store."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import convert
from zope.interface import implementer

from chatter.log.operated import IOperatedStore
from chatter.protocol.errors import StoreUnavailable
from chatter.stores.postgres.session import Query

if TYPE_CHECKING:
    from pathlib import Path

    from chatter.histograms import BatchCounts
    from chatter.stores.postgres.reading import Reader
    from chatter.stores.postgres.writing import Writer

READ_END = Query(b"""
    SELECT last_id, (
        SELECT to_json(sent_at)#>>'{}' FROM log
        WHERE id > (SELECT kept_after FROM log_end) ORDER BY id LIMIT 1
    ) FROM log_end
""")

_SIZE = Query(b"SELECT pg_database_size(current_database())")


@implementer(IOperatedStore)
class OperatedPostgres:
    """Says how large a database is."""

    def __init__(self, reads: Reader, writer: Writer) -> None:
        self._reads = reads
        self._batches = writer.batches

    def count_writes(self) -> BatchCounts:
        """Count the batches that are written from now on."""
        return self._batches.count()

    def waiting(self) -> int:
        """How many writes wait for their batch."""
        return len(self._batches)

    async def end(self) -> tuple[int, datetime | None]:
        """The id of the newest entry of all nodes, and when the oldest one was made."""
        last_id, oldest = await self._reads.row(READ_END)
        assert last_id is not None
        return int(last_id), None if oldest is None else convert(oldest.decode(), datetime)

    async def size(self) -> int:
        """The bytes of the database, all of its tables and indexes included."""
        (size,) = await self._reads.row(_SIZE)
        assert size is not None
        return int(size)

    async def back_up(self, path: Path) -> tuple[int, int]:  # noqa: ARG002
        """PostgreSQL's own tools do that."""
        raise StoreUnavailable("Use pg_dump for a PostgreSQL database.")
