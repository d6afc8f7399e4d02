"""What is read from and written to the SQLite file: the SQL, and rows made values.

All of it blocks.  A batch of rows goes into the database with one statement, during
which the interpreter is free for the reactor.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import json
from msgspec.structs import astuple

from chatter.protocol import names
from chatter.protocol.errors import NameTaken
from chatter.protocol.model import Message, User

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from chatter.protocol.model import Draft

Result = TypeVar("Result")

ROOM = 64 * 1024
"""As many bytes as a database that could not be written must take to be well again."""

MOST_ROWS = 64
"""So many messages are inserted with one statement; there is one for each number of them,
which the connection keeps."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)

_MESSAGE = "id, sender_id, recipient_id, text, sent_at"
_COLUMNS = 6
_USER = "id, name, last_seen"

FIRST_OF_KEYS = """
    SELECT messages.id, messages.sender_id, recipient_id, text, sent_at, idempotency_key
    FROM json_each(?) JOIN messages
    ON messages.sender_id = json_extract(value, '$[0]')
    AND idempotency_key = json_extract(value, '$[1]')
"""

SAVE_PROGRESS = """
    UPDATE users SET cursor = max(cursor, json_extract(value, '$[1]')),
                     last_seen = max(last_seen, json_extract(value, '$[2]'))
    FROM json_each(?) WHERE users.id = json_extract(value, '$[0]')
"""

# First the ids, which are found in the indexes alone, and then only the rows that are wanted.
READ_FEED = f"""
    SELECT {_MESSAGE} FROM messages WHERE id IN (
        SELECT id FROM (SELECT id FROM messages WHERE recipient_id IS NULL AND id > :after
                        ORDER BY id LIMIT :limit)
        UNION
        SELECT id FROM (SELECT id FROM messages WHERE recipient_id IS NOT NULL
                        AND sender_id = :user_id AND id > :after ORDER BY id LIMIT :limit)
        UNION
        SELECT id FROM (SELECT id FROM messages WHERE recipient_id = :user_id AND id > :after
                        ORDER BY id LIMIT :limit)
        ORDER BY id LIMIT :limit
    ) ORDER BY id
"""  # noqa: S608

READ_GENERAL = f"""
    SELECT {_MESSAGE} FROM messages WHERE recipient_id IS NULL AND id < :before
    ORDER BY id DESC LIMIT :limit
"""  # noqa: S608

READ_PRIVATE = f"""
    SELECT * FROM (SELECT {_MESSAGE} FROM messages
                   WHERE sender_id = :user_id AND recipient_id = :other_id AND id < :before
                   ORDER BY id DESC LIMIT :limit)
    UNION
    SELECT * FROM (SELECT {_MESSAGE} FROM messages
                   WHERE sender_id = :other_id AND recipient_id = :user_id AND id < :before
                   ORDER BY id DESC LIMIT :limit)
    ORDER BY id DESC LIMIT :limit
"""  # noqa: S608


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


def microseconds(moment: datetime) -> int:
    """A time as the tables hold it."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """A time that the tables hold."""
    return _EPOCH + timedelta(microseconds=value)


def _message(row: tuple[Any, ...]) -> Message:
    return Message(row[0], row[1], row[2], row[3], moment(row[4]))


def _user(row: tuple[Any, ...]) -> User:
    return User(row[0], row[1], moment(row[2]))


def read_messages(
    connection: sqlite3.Connection, statement: str, parameters: dict[str, Any]
) -> list[Message]:
    """The messages that one of the ``READ_…`` statements finds, oldest first."""
    messages = [_message(row) for row in connection.execute(statement, parameters)]
    if len(messages) > 1 and messages[0].id > messages[-1].id:
        messages.reverse()
    return messages


def last_id(connection: sqlite3.Connection) -> int:
    """The id of the newest message; 0 before the first."""
    (newest,) = connection.execute("SELECT max(id) FROM messages").fetchone()
    return newest or 0


def insert_messages(
    connection: sqlite3.Connection, drafts: list[Draft], newest: int
) -> tuple[list[Message], list[Message]]:
    """Append drafts after the message with the id ``newest``.

    :returns: the message of each draft, and of these the ones that are new.
    """
    first_of = _messages_by_key(connection, drafts)
    results: list[Message] = []
    new: list[Message] = []
    values: list[Any] = []
    for draft in drafts:
        sender_id, recipient_id, text, sent_at, key = astuple(draft)
        if key is not None and (sender_id, key) in first_of:
            results.append(first_of[sender_id, key])
            continue
        newest += 1
        message = Message(newest, sender_id, recipient_id, text, sent_at)
        if key is not None:
            first_of[sender_id, key] = message
        results.append(message)
        new.append(message)
        values += (newest, sender_id, recipient_id or 0, text, microseconds(sent_at), key or "")
    for start in range(0, len(new), MOST_ROWS):
        end = min(start + MOST_ROWS, len(new))
        connection.execute(_insert(end - start), values[start * _COLUMNS : end * _COLUMNS])
    return results, new


@cache
def _insert(rows: int) -> str:
    # No recipient and no key are 0 and "" on their way: sqlite3 looks twice at each None, for
    # an adapter that there might be, which took longer than to insert the row.
    row = "(?, ?, nullif(?, 0), ?, ?, nullif(?, ''))"
    return f"INSERT INTO messages ({_MESSAGE}, idempotency_key) VALUES {', '.join([row] * rows)}"  # noqa: S608 - only names of columns are put in


def _messages_by_key(
    connection: sqlite3.Connection, drafts: list[Draft]
) -> dict[tuple[int, str], Message]:
    keys = [(draft.sender_id, draft.key) for draft in drafts if draft.key is not None]
    if not keys:
        return {}
    rows = connection.execute(FIRST_OF_KEYS, (json.encode(keys).decode(),))
    return {(row[1], row[5]): _message(row) for row in rows}


def insert_user(
    connection: sqlite3.Connection,
    name: str,
    token_hash: bytes | None,
    cursor: int,
    now: datetime,
) -> User:
    """Add a user.

    :raises NameTaken: if somebody has that name, or that token.
    """
    added = connection.execute(
        "INSERT INTO users (name, folded_name, token_hash, cursor, last_seen, joined_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT DO NOTHING",
        (name, names.fold(name), token_hash, cursor, microseconds(now)),
    )
    if added.rowcount == 0 or added.lastrowid is None:
        raise NameTaken("Somebody has that name.")
    return User(added.lastrowid, name, now)


def find_user(connection: sqlite3.Connection, column: str, value: int | str | bytes) -> User | None:
    """The user with that value in a column: ``id``, ``folded_name`` or ``token_hash``."""
    statement = f"SELECT {_USER} FROM users WHERE {column} = ?"  # noqa: S608
    row = connection.execute(statement, (value,)).fetchone()
    return None if row is None else _user(row)


def find_joined(connection: sqlite3.Connection, token_hash: bytes, since: datetime) -> User | None:
    """The user with that token, who has joined since then."""
    statement = f"SELECT {_USER} FROM users WHERE token_hash = ? AND joined_at >= ?"  # noqa: S608
    row = connection.execute(statement, (token_hash, microseconds(since))).fetchone()
    return None if row is None else _user(row)


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


def take_room(connection: sqlite3.Connection) -> None:
    """Write as much as some messages need, to see whether the disk takes it."""
    give_room_back(connection)
    connection.execute(f"CREATE TABLE room AS SELECT zeroblob({ROOM}) AS blank")


def give_room_back(connection: sqlite3.Connection) -> None:
    """Undo :func:`take_room`; the next messages find the room in the file."""
    connection.execute("DROP TABLE IF EXISTS room")


def in_transaction(connection: sqlite3.Connection, work: Callable[[], Result]) -> Result:
    """Do some work in one durable transaction, or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work()
        connection.execute("COMMIT")
    except BaseException:
        # A full disk may have ended the transaction already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result
