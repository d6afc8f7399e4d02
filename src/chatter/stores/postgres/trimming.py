"""The begin of the log in the database: what is no longer kept, and goes.

Every node hears of it with what it reads of the log, and when it connects.  One of them at a
time deletes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.stores.postgres.session import query
from chatter.stores.postgres.write_batch import Step

if TYPE_CHECKING:
    from datetime import datetime

    from chatter.stores.postgres.session import Query

SLICE = 200
"""So many entries are deleted at once: sends wait for the disk meanwhile."""

DUTY = 0.15
"""So much of the time may go into deleting: the disk and the reads of this node share it."""

# Unlike cursors it is durable when it is acknowledged.
TRIM = b"""
    WITH trimmed AS (
        UPDATE log_end SET kept_after = greatest(kept_after, least($1, last_id))
    ) SELECT set_config('synchronous_commit', 'on', true)
"""

COUNT_MESSAGES = b"""
    SELECT count(*) - count(recipient_id), count(recipient_id) FROM log
    WHERE id > $1 AND id <= $2 AND kind = 0
"""

OLD_ENTRIES = b"""
    WITH stretch AS MATERIALIZED (
        SELECT id, sent_at FROM log WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $4
    )
    SELECT count(*), max(id) FROM stretch
    WHERE id < coalesce((SELECT min(id) FROM stretch WHERE sent_at >= $3::timestamptz), $2 + 1)
"""

DELETE = b"SELECT delete_trimmed($1, $2)"


def trim(until: int) -> Step:
    """What keeps only the entries after an id."""
    return Step(query(TRIM, until), lambda _: (None, []))


def count_messages(after: int, until: int) -> Query:
    """The query for the number of messages in a stretch."""
    return query(COUNT_MESSAGES, after, until)


def old_entries(after: int, until: int, before: datetime, limit: int) -> Query:
    """The query for how many entries of a stretch come before the first that is not old."""
    return query(OLD_ENTRIES, after, until, before.isoformat(), limit)


def delete_slice(after: int) -> Query:
    """What deletes some entries after an id that are no longer kept."""
    return query(DELETE, after, SLICE)
