"""The list of a user's chats: the SQL, and responses made values.

A trigger of the schema keeps ``chats.last_id`` true; here it is only read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, json

from chatter.protocol.model import ChatSummary
from chatter.protocol.scalars import MAX_ID
from chatter.stores.postgres.session import Query, query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chatter.stores.postgres.session import Row

_LAST = "m.id, m.sender_id, m.recipient_id, m.text, m.sent_at, m.edited_at"

READ_PRIVATE_CHATS = f"""
    SELECT json_agg(c ORDER BY last_id DESC) FROM (
        SELECT last_id, other_id AS recipient_id, greatest(read_id, $2) AS read, (
            SELECT row_to_json(l) FROM (SELECT {_LAST} FROM log m WHERE m.id = last_id) AS l
        ) AS last, (
            SELECT count(*) FROM (
                SELECT FROM log m
                WHERE m.sender_id = other_id AND m.recipient_id = $1 AND m.kind = 0
                AND m.id > greatest(read_id, $2, $5) AND other_id <> $1
                ORDER BY m.id LIMIT 100
            ) AS counted
        ) AS unread
        FROM chats WHERE user_id = $1 AND other_id <> 0 AND last_id > $5 AND last_id < $3
        ORDER BY last_id DESC LIMIT $4
    ) AS c
""".encode()  # noqa: S608 - only names of columns are put in

# Of a user who sends much more than others do, only the newest are looked at.
READ_GENERAL_CHAT = f"""
    SELECT json_build_array(row_to_json(g)) FROM (
        SELECT NULL AS recipient_id, read, (
            SELECT row_to_json(l) FROM (
                SELECT {_LAST} FROM log m WHERE m.recipient_id IS NULL AND m.kind = 0
                AND m.id > $3 ORDER BY m.id DESC LIMIT 1
            ) AS l
        ) AS last, (
            SELECT count(*) FROM (
                SELECT FROM (
                    SELECT m.sender_id FROM log m
                    WHERE m.recipient_id IS NULL AND m.kind = 0 AND m.id > greatest(read, $3)
                    ORDER BY m.id DESC LIMIT 1000
                ) AS newest WHERE sender_id <> $1 LIMIT 100
            ) AS counted
        ) AS unread
        FROM (
            SELECT greatest($2, (
                SELECT read_id FROM chats WHERE user_id = $1 AND other_id = 0
            )) AS read
        ) AS mark
    ) AS g
""".encode()  # noqa: S608

# Both in one query: a batch of marks is one statement of each kind.
MARK_READ = b"""
    WITH marks AS MATERIALIZED (
        SELECT user_id, other_id, max(message_id) AS message_id
        FROM json_to_recordset($1) AS m (user_id bigint, other_id bigint, message_id bigint)
        GROUP BY user_id, other_id
    ), general AS (
        INSERT INTO chats (user_id, other_id, last_id, read_id)
        SELECT user_id, 0, 0, message_id FROM marks WHERE other_id IS NULL
        ON CONFLICT (user_id, other_id)
        DO UPDATE SET read_id = greatest(chats.read_id, excluded.read_id)
    )
    UPDATE chats SET read_id = greatest(read_id, message_id)
    FROM marks WHERE chats.user_id = marks.user_id AND chats.other_id = marks.other_id
    AND chats.last_id > $2
"""


class Mark(Struct, frozen=True, gc=False):
    """How far a user has read one chat.

    :ivar other_id: the other user of a private chat; ``None`` for the general chat.
    """

    user_id: int
    other_id: int | None
    message_id: int


_encode = json.Encoder().encode
_chats = json.Decoder(list[ChatSummary]).decode


def mark_read(marks: Sequence[Mark], kept_after: int) -> Query:
    """What moves some read marks on."""
    return Query(MARK_READ, (_encode(marks), str(kept_after).encode()))


def read_general_chat(user_id: int, cursor: int, kept_after: int) -> Query:
    """The query for the general chat in a user's list."""
    return query(READ_GENERAL_CHAT, user_id, cursor, kept_after)


def read_private_chats(
    user_id: int, cursor: int, before: int | None, limit: int, kept_after: int
) -> Query:
    """The query for the private chats in a user's list."""
    below = MAX_ID if before is None else before
    return query(READ_PRIVATE_CHATS, user_id, cursor, below, limit, kept_after)


def chats(row: Row) -> list[ChatSummary]:
    """The chats that a row has."""
    (value,) = row
    return [] if value is None else _chats(value)
