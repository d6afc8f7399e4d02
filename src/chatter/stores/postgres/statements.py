"""What is read of the database besides the log: the SQL, and rows made values.

Rows go in and come out as one JSON text each way.  So nothing is done for each row in
Python: it is PostgreSQL that puts the text together and takes it apart, and msgspec.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec import json

from chatter.log.lineage import Epoch, Lineage
from chatter.protocol.model import User
from chatter.stores.postgres.session import Query

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chatter.stores.postgres.session import Row

Value = TypeVar("Value")

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

# Each of those who have left has one taken name, and it is the index that is counted.
COUNT_USERS = Query(b"""
    SELECT (SELECT count(*) FROM users WHERE id > 0) - (SELECT count(*) FROM taken_names)
""")

READ_USERS = b"""
    SELECT json_agg(u ORDER BY id) FROM (
        SELECT id, name, last_seen FROM users WHERE id > $1 ORDER BY id LIMIT $2
    ) AS u
"""

READ_USERS_BY_ID = b"""
    SELECT json_agg(u ORDER BY id) FROM (
        SELECT id, name, last_seen FROM users WHERE id = ANY($1)
    ) AS u
"""

READ_USERS_BY_PREFIX = b"""
    SELECT json_agg(u ORDER BY folded_name COLLATE "C") FROM (
        SELECT id, name, last_seen, folded_name FROM users
        WHERE folded_name COLLATE "C" >= $1 AND folded_name COLLATE "C" < $2
        ORDER BY folded_name COLLATE "C" LIMIT $3
    ) AS u
"""

READ_USERS_SEEN = b"""
    SELECT json_agg(u ORDER BY id) FROM (
        SELECT id, name, last_seen FROM users WHERE last_seen >= $1 AND id > $2
        ORDER BY id LIMIT $3
    ) AS u
"""

_FIND_USER = """
    SELECT json_agg(u) FROM (SELECT id, name, last_seen FROM users WHERE {} = {}) AS u
"""

USER_BY_ID = _FIND_USER.format("id", "$1").encode()

USER_BY_NAME = _FIND_USER.format("folded_name", "$1").encode()

READ_CURSORS = b"""
    SELECT json_object_agg(id, cursor) FROM users WHERE id = ANY($1)
"""

_epochs = json.Decoder(list[Epoch]).decode
_users = json.Decoder(list[User]).decode
_cursors = json.Decoder(dict[int, int]).decode


def entered(row: Row) -> tuple[int, Lineage, int]:
    """The last id of the log, its epochs, and up to which id it is no longer kept."""
    last_id, epochs, kept_after = row
    assert last_id is not None
    assert epochs is not None
    assert kept_after is not None
    return int(last_id), Lineage(_epochs(epochs)), int(kept_after)


def users(row: Row) -> list[User]:
    """The users that a row has."""
    (value,) = row
    return [] if value is None else _users(value)


def cursors(row: Row) -> dict[int, int]:
    """The cursor of each user that a row has."""
    (value,) = row
    return {} if value is None else _cursors(value)


def query(sql: bytes, *parameters: int | str) -> Query:
    """A query with its parameters."""
    return Query(sql, tuple(str(parameter).encode() for parameter in parameters))


def read_cursors(user_ids: Iterable[int]) -> Query:
    """The query for the cursors of some users."""
    return query(READ_CURSORS, _array(user_ids))


def read_users_by_id(user_ids: Iterable[int]) -> Query:
    """The query for the users with those ids."""
    return query(READ_USERS_BY_ID, _array(user_ids))


def _array(ids: Iterable[int]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"
