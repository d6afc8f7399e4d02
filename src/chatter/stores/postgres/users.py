"""The users in the database, and their cursors: the SQL, and rows made values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import json

from chatter.protocol.model import User
from chatter.stores.postgres.session import Query, query

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chatter.stores.postgres.session import Row

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

_users = json.Decoder(list[User]).decode
_cursors = json.Decoder(dict[int, int]).decode


def users_of(row: Row) -> list[User]:
    """The users that a row has."""
    (value,) = row
    return [] if value is None else _users(value)


def cursors_of(row: Row) -> dict[int, int]:
    """The cursor of each user that a row has."""
    (value,) = row
    return {} if value is None else _cursors(value)


def read_cursors(user_ids: Iterable[int]) -> Query:
    """The query for the cursors of some users."""
    return query(READ_CURSORS, _array(user_ids))


def read_users_by_id(user_ids: Iterable[int]) -> Query:
    """The query for the users with those ids."""
    return query(READ_USERS_BY_ID, _array(user_ids))


def _array(ids: Iterable[int]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"
