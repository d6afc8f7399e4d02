"""The list of a user's chats: the SQL, and rows made values.

A trigger of the schema keeps ``chats.last_id`` true; here it is only read.  All of it blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.protocol.model import ChatSummary
from chatter.stores.sqlite.entries import message

if TYPE_CHECKING:
    import sqlite3

GENERAL = 0
"""What ``chats.other_id`` is for the general chat."""

_LAST = "log.id, log.sender_id, log.recipient_id, log.text, log.sent_at, log.edited_at"

READ_PRIVATE_CHATS = f"""
    SELECT other_id, max(read_id, :cursor), (
        SELECT count(*) FROM (
            SELECT 1 FROM log AS m
            WHERE m.sender_id = other_id AND m.recipient_id = :user_id AND other_id <> :user_id
            AND m.kind = 0 AND m.id > max(read_id, :cursor, :kept_after) LIMIT 100
        )
    ), {_LAST}
    FROM chats JOIN log ON log.id = last_id
    WHERE user_id = :user_id AND last_id > :kept_after AND last_id < :before
    ORDER BY last_id DESC LIMIT :limit
"""  # noqa: S608 - only names of columns are put in

READ_GENERAL_MARK = "SELECT read_id FROM chats WHERE user_id = :user_id AND other_id = 0"

READ_GENERAL_LAST = f"""
    SELECT {_LAST} FROM log WHERE recipient_id IS NULL AND kind = 0 AND id > :kept_after
    ORDER BY id DESC LIMIT 1
"""  # noqa: S608

# Of a user who sends much more than others do, only the newest are looked at.
COUNT_GENERAL_UNREAD = """
    SELECT count(*) FROM (
        SELECT 1 FROM (
            SELECT sender_id FROM log WHERE recipient_id IS NULL AND kind = 0 AND id > :read
            ORDER BY id DESC LIMIT 1000
        ) WHERE sender_id <> :user_id LIMIT 100
    )
"""

MARK_PRIVATE = """
    UPDATE chats SET read_id = max(read_id, :message_id)
    WHERE user_id = :user_id AND other_id = :other_id AND last_id > :kept_after
"""

MARK_GENERAL = """
    INSERT INTO chats (user_id, other_id, last_id, read_id) VALUES (:user_id, 0, 0, :message_id)
    ON CONFLICT (user_id, other_id) DO UPDATE SET read_id = max(read_id, excluded.read_id)
"""


def read_chats(
    connection: sqlite3.Connection,
    user_id: int,
    cursor: int,
    before: int | None,
    limit: int,
    kept_after: int,
) -> list[ChatSummary]:
    """The chats of a user, as :meth:`chatter.log.interfaces.IChatStore.chats` promises."""
    parameters = {
        "user_id": user_id,
        "cursor": cursor,
        "before": before or 2**63 - 1,
        "limit": limit,
        "kept_after": kept_after,
    }
    rows = connection.execute(READ_PRIVATE_CHATS, parameters)
    private = [ChatSummary(row[0], message(row[3:]), row[1], row[2]) for row in rows]
    if before is not None:
        return private
    return [_general(connection, user_id, cursor, kept_after), *private]


def _general(
    connection: sqlite3.Connection, user_id: int, cursor: int, kept_after: int
) -> ChatSummary:
    mark = connection.execute(READ_GENERAL_MARK, {"user_id": user_id}).fetchone()
    read = cursor if mark is None else max(cursor, mark[0])
    last = connection.execute(READ_GENERAL_LAST, {"kept_after": kept_after}).fetchone()
    counted = {"user_id": user_id, "read": max(read, kept_after)}
    (unread,) = connection.execute(COUNT_GENERAL_UNREAD, counted).fetchone()
    return ChatSummary(None, None if last is None else message(last), read, unread)


def mark_read(
    connection: sqlite3.Connection,
    user_id: int,
    other_id: int | None,
    message_id: int,
    kept_after: int,
) -> None:
    """Move the read mark of a chat on, never back."""
    statement = MARK_GENERAL if other_id is None else MARK_PRIVATE
    marked = {
        "user_id": user_id,
        "other_id": other_id,
        "message_id": message_id,
        "kept_after": kept_after,
    }
    connection.execute(statement, marked)
