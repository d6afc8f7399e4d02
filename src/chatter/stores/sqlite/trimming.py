"""The begin of the log in the SQLite file: what is no longer kept, and goes.  All of it blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.stores.sqlite.statements import microseconds

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

SLICE = 50
"""So many entries are deleted at once: each waits for the pages that it stands on."""

DUTY = 0.1
"""So much of the time may go into deleting: sends wait for it."""

# Deleted ids are noted as given as long as none is larger than the last one that is noted.
TRIM = """
    UPDATE log_end SET
        last_id = max(last_id, (SELECT coalesce(max(id), 0) FROM log)),
        kept_after = max(kept_after, min(
            ?, max(last_id, (SELECT coalesce(max(id), 0) FROM log))
        ))
"""

COUNT_MESSAGES = "SELECT count(*) FROM log WHERE id > ? AND id <= ? AND kind = 0"

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


def count_messages(connection: sqlite3.Connection, after: int, until: int) -> int:
    """How many messages there are in a stretch."""
    (count,) = connection.execute(COUNT_MESSAGES, (after, until)).fetchone()
    return int(count)


def old_entries(
    connection: sqlite3.Connection, after: int, until: int, before: datetime, limit: int
) -> tuple[int, int]:
    """How many entries of a stretch come before the first one that is not old, and the last."""
    stretch = {"after": after, "until": until, "before": microseconds(before), "limit": limit}
    count, last = connection.execute(OLD_ENTRIES, stretch).fetchone()
    return count, last


def delete_slice(connection: sqlite3.Connection, until: int) -> int:
    """Delete some entries up to an id, the oldest first; returns how many."""
    return connection.execute(DELETE, (until, SLICE)).rowcount
