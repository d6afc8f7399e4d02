"""The users in a SQLite file, and their cursors: the SQL, and rows made values.

All of it blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import json

from chatter.protocol import names
from chatter.protocol.model import User
from chatter.stores.sqlite.times import microseconds, moment

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime

_USER = "id, name, last_seen"

SAVE_PROGRESS = """
    UPDATE users SET cursor = max(cursor, json_extract(value, '$[1]')),
                     last_seen = max(last_seen, json_extract(value, '$[2]'))
    FROM json_each(?) WHERE users.id = json_extract(value, '$[0]')
"""

READ_USERS_BY_ID = f"""
    SELECT {_USER} FROM users WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id
"""  # noqa: S608

READ_USERS_BY_PREFIX = f"""
    SELECT {_USER} FROM users WHERE folded_name >= ? AND folded_name < ?
    ORDER BY folded_name LIMIT ?
"""  # noqa: S608

READ_USERS_SEEN = f"""
    SELECT {_USER} FROM users WHERE last_seen >= ? AND id > ? ORDER BY id LIMIT ?
"""  # noqa: S608


def _user(row: tuple[Any, ...]) -> User:
    return User(row[0], row[1], moment(row[2]))


def find_user(connection: sqlite3.Connection, column: str, value: int | str) -> User | None:
    """The user with that value in a column: ``id`` or ``folded_name``."""
    statement = f"SELECT {_USER} FROM users WHERE {column} = ?"  # noqa: S608
    row = connection.execute(statement, (value,)).fetchone()
    return None if row is None else _user(row)


def count_users(connection: sqlite3.Connection) -> int:
    """How many users there are; each of those who have left has one taken name."""
    statement = "SELECT (SELECT count(*) FROM users) - (SELECT count(*) FROM taken_names)"
    (count,) = connection.execute(statement).fetchone()
    return int(count)


def read_users(connection: sqlite3.Connection, after: int, limit: int) -> list[User]:
    """The users with a larger id, by id."""
    statement = f"SELECT {_USER} FROM users WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608
    return [_user(row) for row in connection.execute(statement, (after, limit))]


def read_users_by_id(connection: sqlite3.Connection, user_ids: list[int]) -> list[User]:
    """The users with those ids, by id."""
    rows = connection.execute(READ_USERS_BY_ID, (json.encode(user_ids).decode(),))
    return [_user(row) for row in rows]


def read_users_by_prefix(connection: sqlite3.Connection, prefix: str, limit: int) -> list[User]:
    """The users whose folded name begins with a folded prefix, by name."""
    rows = connection.execute(READ_USERS_BY_PREFIX, (prefix, prefix + names.AFTER_ALL, limit))
    return [_user(row) for row in rows]


def read_users_seen(
    connection: sqlite3.Connection, since: datetime, after: int, limit: int
) -> list[User]:
    """The users with a larger id who were seen since then, by id."""
    rows = connection.execute(READ_USERS_SEEN, (microseconds(since), after, limit))
    return [_user(row) for row in rows]


def read_cursor(connection: sqlite3.Connection, user_id: int) -> int:
    """Up to where a user has read, as saved; 0 for no user."""
    row = connection.execute("SELECT cursor FROM users WHERE id = ?", (user_id,)).fetchone()
    return 0 if row is None else int(row[0])


def save_progress(
    connection: sqlite3.Connection, progress: Iterable[tuple[int, int, datetime]]
) -> None:
    """Save users' cursors and signs of life, none of them going back."""
    rows = [(user_id, cursor, microseconds(seen)) for user_id, cursor, seen in progress]
    connection.execute(SAVE_PROGRESS, (json.encode(rows).decode(),))
