"""The entries of the log in the SQLite file: the SQL, and rows made values.

All of it blocks.  A batch of rows goes into the database with one statement, during
which the interpreter is free for the reactor.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import json
from msgspec.structs import astuple

from chatter.log.entries import Kind, MessageChange, Sent, StandingChange, UserErased, edited
from chatter.protocol.errors import Gone
from chatter.protocol.model import Message
from chatter.stores.sqlite.times import microseconds, moment

if TYPE_CHECKING:
    import sqlite3

    from chatter.log.entries import ChangeDraft, Entry
    from chatter.protocol.model import Draft

MOST_ROWS = 64
"""So many messages are inserted with one statement; there is one for each number of them,
which the connection keeps."""

_INSERTED = "id, sender_id, recipient_id, text, sent_at, idempotency_key"
_COLUMNS = 6
_MESSAGE = "id, sender_id, recipient_id, text, sent_at, edited_at"

# Of a message that was withdrawn the change has the key.
FIRST_OF_KEYS = """
    SELECT log.id, log.sender_id, recipient_id, text, sent_at, edited_at, idempotency_key, kind
    FROM json_each(?) JOIN log
    ON log.sender_id = json_extract(value, '$[0]')
    AND idempotency_key = json_extract(value, '$[1]')
"""

# First the ids, which are found in the indexes alone, and then only the rows that are wanted.
# A change of a message comes with what that says now; one that finds none has withdrawn it, or
# its message is no longer kept.  A change of a standing comes with what that is now.
READ_FEED = """
    SELECT e.id, e.sender_id, e.recipient_id, e.text, e.sent_at, e.edited_at,
           e.kind, e.about, e.by_id, m.text, u.role, u.muted_until, u.banned_until
    FROM log AS e LEFT JOIN log AS m ON m.id = e.about AND e.kind = 1 AND m.id > :kept_after
    LEFT JOIN users AS u ON u.id = e.about AND e.kind = 2
    WHERE e.id IN (
        SELECT id FROM (SELECT id FROM log WHERE recipient_id IS NULL AND id > :after
                        ORDER BY id LIMIT :limit)
        UNION
        SELECT id FROM (SELECT id FROM log WHERE recipient_id IS NOT NULL
                        AND sender_id = :user_id AND id > :after ORDER BY id LIMIT :limit)
        UNION
        SELECT id FROM (SELECT id FROM log WHERE recipient_id = :user_id AND id > :after
                        ORDER BY id LIMIT :limit)
        ORDER BY id LIMIT :limit
    ) ORDER BY e.id
"""

READ_MESSAGE = f"""
    SELECT {_MESSAGE} FROM log WHERE id = :id AND kind = 0 AND id > :kept_after
"""  # noqa: S608

READ_CHANGED = f"""
    SELECT {_MESSAGE}, change_id, idempotency_key FROM log WHERE id = :id AND kind = 0
"""  # noqa: S608

EDIT = "UPDATE log SET text = ?, edited_at = ?, change_id = ? WHERE id = ?"

INSERT_CHANGE = """
    INSERT INTO log (id, sender_id, recipient_id, text, sent_at, idempotency_key,
                     kind, about, by_id)
    VALUES (?, ?, ?, '', ?, ?, 1, ?, ?)
"""

# It is prepared anew if the schema has changed, with its triggers, and finds no row.
APPEND_NOTHING = f"""
    INSERT INTO log ({_INSERTED}) SELECT {_INSERTED} FROM log WHERE false
"""  # noqa: S608

READ_GENERAL = f"""
    SELECT {_MESSAGE} FROM log WHERE recipient_id IS NULL AND kind = 0
    AND id < :before AND id > :kept_after
    ORDER BY id DESC LIMIT :limit
"""  # noqa: S608

# A change of a message that is not there has withdrawn it.
READ_GENERAL_SENDERS = """
    SELECT id, coalesce(about, id), sender_id, sent_at FROM log AS e
    WHERE recipient_id IS NULL AND id < :before AND id > :kept_after
    AND (kind = 0 OR kind = 1 AND about > :kept_after
         AND (SELECT m.id FROM log AS m WHERE m.id = e.about) IS NULL)
    ORDER BY id DESC LIMIT :limit
"""

READ_PRIVATE = f"""
    SELECT * FROM (SELECT {_MESSAGE} FROM log
                   WHERE sender_id = :user_id AND recipient_id = :other_id AND kind = 0
                   AND id < :before AND id > :kept_after ORDER BY id DESC LIMIT :limit)
    UNION
    SELECT * FROM (SELECT {_MESSAGE} FROM log
                   WHERE sender_id = :other_id AND recipient_id = :user_id AND kind = 0
                   AND id < :before AND id > :kept_after ORDER BY id DESC LIMIT :limit)
    ORDER BY id DESC LIMIT :limit
"""  # noqa: S608


def message(row: tuple[Any, ...]) -> Message:
    """The message of a row."""
    edited_at = None if row[5] is None else moment(row[5])
    return Message(row[0], row[1], row[2], row[3], moment(row[4]), edited_at)


def _entry(row: tuple[Any, ...]) -> Entry:
    if row[6] == Kind.MESSAGE:
        return message(row)
    if row[6] == Kind.STANDING_CHANGE:
        muted_until, banned_until = [None if t is None else moment(t) for t in row[11:13]]
        return StandingChange(
            row[0], row[1], row[7], row[10], muted_until, banned_until, moment(row[4])
        )
    if row[6] == Kind.USER_ERASED:
        return UserErased(row[0], row[1], moment(row[4]))
    by_id = row[1] if row[8] is None else row[8]
    return MessageChange(row[0], row[1], row[2], row[7], row[9], by_id, moment(row[4]))


def read_messages(
    connection: sqlite3.Connection, statement: str, parameters: dict[str, Any]
) -> list[Message]:
    """The messages that one of the ``READ_…`` statements finds, oldest first."""
    messages = [message(row) for row in connection.execute(statement, parameters)]
    if len(messages) > 1 and messages[0].id > messages[-1].id:
        messages.reverse()
    return messages


def read_senders(connection: sqlite3.Connection, parameters: dict[str, Any]) -> list[Sent]:
    """Who has sent the newest messages of the general chat, oldest first."""
    rows = connection.execute(READ_GENERAL_SENDERS, parameters).fetchall()
    return [Sent(row[0], row[1], row[2], moment(row[3])) for row in reversed(rows)]


def read_feed(
    connection: sqlite3.Connection, user_id: int, after: int, limit: int, kept_after: int
) -> list[Entry]:
    """What a user may see after an id, and is still kept."""
    parameters = {
        "user_id": user_id,
        "after": max(after, kept_after),
        "limit": limit,
        "kept_after": kept_after,
    }
    return [_entry(row) for row in connection.execute(READ_FEED, parameters)]


def read_message(
    connection: sqlite3.Connection, message_id: int, kept_after: int
) -> Message | None:
    """The message with that id, if it is still kept."""
    parameters = {"id": message_id, "kept_after": kept_after}
    row = connection.execute(READ_MESSAGE, parameters).fetchone()
    return None if row is None else message(row)


def last_id(connection: sqlite3.Connection) -> int:
    """The id of the newest entry, also if it is not there any more; 0 before the first."""
    (newest,) = connection.execute(
        "SELECT max(last_id, coalesce((SELECT max(id) FROM log), 0)) FROM log_end"
    ).fetchone()
    return int(newest)


def prepare_to_append(connection: sqlite3.Connection) -> None:
    """See that the database has all that a new message needs; nothing is written.

    :raises sqlite3.OperationalError: if a table is missing, or one of its columns.
    """
    connection.execute(APPEND_NOTHING)


def insert_messages(
    connection: sqlite3.Connection, drafts: list[Draft], newest: int
) -> tuple[list[Message | Gone], list[Entry]]:
    """Append drafts after the entry with the id ``newest``.

    :returns: the message of each draft, and of these the ones that are new.
    """
    keys = [(draft.sender_id, draft.key) for draft in drafts if draft.key is not None]
    first_of = messages_by_key(connection, keys) if keys else {}
    results: list[Message | Gone] = []
    new: list[Entry] = []
    values: list[Any] = []
    for draft in drafts:
        # A draft may have more than a message has.
        sender_id, recipient_id, text, sent_at, key = astuple(draft)[:5]
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
    return f"INSERT INTO log ({_INSERTED}) VALUES {', '.join([row] * rows)}"  # noqa: S608 - only names of columns are put in


def messages_by_key(
    connection: sqlite3.Connection, keys: list[tuple[int, str]]
) -> dict[tuple[int, str], Message | Gone]:
    """The message of each key that was used, by its sender and key."""
    rows = connection.execute(FIRST_OF_KEYS, (json.encode(keys).decode(),))
    return {(row[1], row[6]): message(row) if row[7] == Kind.MESSAGE else Gone() for row in rows}


def change_message(
    connection: sqlite3.Connection, draft: ChangeDraft, change_id: int
) -> tuple[MessageChange | None, Message]:
    """Edit or withdraw a message.

    :param change_id: of the change; larger than the id of any entry.
    :returns: the change, if anything has changed, and the message as it is now, or was.
    :raises Gone: if there is no such message.
    """
    row = connection.execute(READ_CHANGED, {"id": draft.message_id}).fetchone()
    if row is None:
        raise Gone
    old = message(row)
    if old.text == draft.text:
        return None, old
    change = MessageChange(
        change_id, old.sender_id, old.recipient_id, old.id, draft.text, draft.by_id, draft.at
    )
    key = None
    # The newest change stays, and has the key of a message that is gone.
    connection.execute("DELETE FROM log WHERE id = ?", (row[6],))
    if draft.text is None:
        key = row[7]
        connection.execute("DELETE FROM log WHERE id = ?", (old.id,))
    else:
        connection.execute(EDIT, (draft.text, microseconds(draft.at), change_id, old.id))
        old = edited(old, draft)
    by_id = None if draft.by_id == old.sender_id else draft.by_id
    connection.execute(
        INSERT_CHANGE,
        (change_id, old.sender_id, old.recipient_id, microseconds(draft.at), key, old.id, by_id),
    )
    return change, old
