"""How a session with the database begins, and what is read of the end of the log.

Rows go in and come out as one JSON text each way.  So nothing is done for each row in
Python: it is PostgreSQL that puts the text together and takes it apart, and msgspec.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import json

from chatter.log.lineage import Epoch, Lineage
from chatter.stores.postgres.session import Query

if TYPE_CHECKING:
    from chatter.stores.postgres.session import Row

CHANNEL = b"chatter"
"""On this it is notified, with the last id, that the log has grown."""

NEW_EPOCH = b"epoch"
"""This is notified on it when a new epoch has begun."""

# The server gives a statement up by itself, and so its lock on the log, before the store
# takes it for hung.  Every read must go by its index, whatever the planner believes of a
# table that has grown since it was last looked at.
BEGIN_SESSION = Query(
    b"""
    SELECT set_config(name, value, false) FROM (VALUES
        ('synchronous_commit',
         CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply'
         ELSE 'on' END),
        ('TimeZone', 'UTC'),
        ('default_transaction_isolation', 'read committed'),
        ('statement_timeout', '3500'),
        ('tcp_keepalives_idle', '5'),
        ('tcp_keepalives_interval', '2'),
        ('tcp_keepalives_count', '3'),
        ('plan_cache_mode', 'force_generic_plan'),
        ('enable_seqscan', 'off'),
        ('enable_hashjoin', 'off'),
        ('enable_mergejoin', 'off'),
        ('enable_bitmapscan', 'off'),
        ('jit', 'off')
    ) AS settings (name, value)
"""
)

# It shows whether the log can be written now.
LOCK_LOG = Query(b"SELECT last_id FROM log_end FOR UPDATE")

# Returns the last id, the epochs of the log, and up to which id it is no longer kept.
ENTER_EPOCH = b"""
    SELECT last_id, lineage, (SELECT kept_after FROM log_end) FROM enter_epoch($1)
"""

LISTEN = Query(b"LISTEN " + CHANNEL)

READ_CLOCK = Query(b"SELECT extract(epoch FROM clock_timestamp())")

ALIVE = Query(b"SELECT FROM log LIMIT 1")

# Writes some messages and takes them back, to see whether there is room for them.
TAKE_ROOM = Query(
    b"""
    DO $$ DECLARE
        newest bigint;
    BEGIN
        SELECT last_id INTO STRICT newest FROM log_end FOR UPDATE;
        INSERT INTO log (id, sender_id, text, sent_at)
            SELECT newest + n, 0, repeat('x', 1900), now() FROM generate_series(1, 32) AS n;
        RAISE EXCEPTION USING ERRCODE = 'CHR00';
    EXCEPTION WHEN SQLSTATE 'CHR00' THEN NULL;
    END $$
"""
)

_epochs = json.Decoder(list[Epoch]).decode


def entered(row: Row) -> tuple[int, Lineage, int]:
    """The last id of the log, its epochs, and up to which id it is no longer kept."""
    last_id, epochs, kept_after = row
    assert last_id is not None
    assert epochs is not None
    assert kept_after is not None
    return int(last_id), Lineage(_epochs(epochs)), int(kept_after)
