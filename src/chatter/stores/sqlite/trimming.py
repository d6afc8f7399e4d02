"""The begin of the log in the SQLite file: what is no longer kept, and goes.  All of it blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.stores.deleting import Slice
from chatter.stores.sqlite.entries import last_id
from chatter.stores.sqlite.times import microseconds

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime

SLICE_SECONDS = 0.001
"""About so long takes the deletion of a slice, beside what the disk needs: sends wait for it."""

FIRST_SLICE = 50
"""The first slice has so many entries."""

LEAST_SLICE = 10

MOST_SLICE = 500
"""However much the log grows meanwhile, a slice has no more entries."""

DUTY = 0.1
"""So much of the time may go into deleting."""

# Deleted ids are noted as given as long as none is larger than the last one that is noted.
TRIM = """
    UPDATE log_end SET
        last_id = max(last_id, (SELECT coalesce(max(id), 0) FROM log)),
        kept_after = max(kept_after, min(
            ?, max(last_id, (SELECT coalesce(max(id), 0) FROM log))
        ))
"""

COUNT_MESSAGES = """
    SELECT count(*) - count(recipient_id), count(recipient_id) FROM log
    WHERE id > ? AND id <= ? AND kind = 0
"""

OLD_ENTRIES = """
    WITH stretch AS MATERIALIZED (
        SELECT id, sent_at FROM log WHERE id > :after AND id <= :until ORDER BY id LIMIT :limit
    )
    SELECT count(*), coalesce(max(id), :after) FROM stretch
    WHERE id < coalesce((SELECT min(id) FROM stretch WHERE sent_at >= :before), :until + 1)
"""

DELETE = """
    DELETE FROM log WHERE id IN (SELECT id FROM log WHERE id <= ? ORDER BY id LIMIT ?)
"""


def kept_after(connection: sqlite3.Connection) -> int:
    """Up to which id entries are no longer kept."""
    (until,) = connection.execute("SELECT kept_after FROM log_end").fetchone()
    return int(until)


def trim(connection: sqlite3.Connection, until: int) -> int:
    """Keep only the entries after an id; returns up to where they are no longer kept now."""
    connection.execute(TRIM, (until,))
    return kept_after(connection)


def count_messages(connection: sqlite3.Connection, after: int, until: int) -> tuple[int, int]:
    """How many messages there are in a stretch, general and private ones."""
    general, private = connection.execute(COUNT_MESSAGES, (after, until)).fetchone()
    return general, private


def old_entries(
    connection: sqlite3.Connection, after: int, until: int, before: datetime, limit: int
) -> tuple[int, int]:
    """How many entries of a stretch come before the first one that is not old, and the last."""
    stretch = {"after": after, "until": until, "before": microseconds(before), "limit": limit}
    count, last = connection.execute(OLD_ENTRIES, stretch).fetchone()
    return count, last


class Slices:
    """Deletes slices that take as long as they may.

    While others write, a slice has a quarter more entries than they have written since the one
    before: the log becomes shorter, and they share the disk with no more than that.  An entry
    that is deleted costs about half as much as one that is appended.

    :param seconds: the time, from any beginning.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._fitting = FIRST_SLICE
        self._newest: int | None = None

    def delete(self, connection: sqlite3.Connection, until: int) -> tuple[int, Slice]:
        """Delete some entries up to an id, the oldest first; returns how many, too."""
        rows = self._how_many(last_id(connection))
        # The pause is no longer for what is only deleted to keep pace.
        share = min(self._fitting / rows, 1)
        began = self._seconds()
        deleted = connection.execute(DELETE, (until, rows)).rowcount
        took = self._seconds() - began
        is_last = deleted < rows
        if is_last:
            self._newest = None
        elif rows >= self._fitting or took > SLICE_SECONDS:
            # A slice may have waited for the processor: the next ones are not all small for it.
            fitting = rows * SLICE_SECONDS / max(took, SLICE_SECONDS / 2)
            self._fitting = max(LEAST_SLICE, int(max(fitting, self._fitting / 2)))
        return deleted, Slice(is_last, took * share)

    def _how_many(self, newest: int) -> int:
        arrived = 0 if self._newest is None else newest - self._newest
        self._newest = newest
        wanted = max(LEAST_SLICE, arrived + arrived // 4) if arrived else self._fitting
        return min(wanted, MOST_SLICE)
