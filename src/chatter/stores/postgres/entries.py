"""The entries of the log in the database: the SQL, and rows made values.

A stretch is one query and one snapshot, with three results: its messages; its changes, each
with what its message says, or what its user may do, in the same snapshot; and up to which id
the log is no longer kept.
"""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import Struct, json

from chatter.log.entries import AddressBan, Kind, MessageChange, Sent, StandingChange, UserErased
from chatter.protocol.model import Message, Role
from chatter.stores.postgres.session import query

if TYPE_CHECKING:
    from chatter.log.entries import Entry
    from chatter.stores.postgres.session import Query, Row

_MESSAGE = "id, sender_id, recipient_id, text, sent_at, edited_at"

# A change of a message that finds none has withdrawn it, or its message is no longer kept.
_ENTRIES = f"""
    WITH wanted AS MATERIALIZED (SELECT ARRAY({{ids}}) AS ids)
    SELECT (
        SELECT json_agg(m ORDER BY id) FROM (
            SELECT {_MESSAGE} FROM log WHERE kind = 0
            AND id = ANY((SELECT ids FROM wanted)::bigint[])
        ) AS m
    ), (
        SELECT json_agg(c ORDER BY id) FROM (
            SELECT e.id, e.sender_id, e.recipient_id, e.kind, e.about,
                   CASE e.kind WHEN 5 THEN e.text ELSE m.text END AS text,
                   coalesce(e.by_id, e.sender_id) AS by_id, e.sent_at AS at,
                   u.role, u.muted_until, u.banned_until, b.until
            FROM log AS e LEFT JOIN log AS m
            ON m.id = e.about AND e.kind = 1 AND m.id > {{kept_after}}
            LEFT JOIN users AS u ON u.id = e.about AND e.kind = 2
            LEFT JOIN address_bans AS b ON b.network = e.text AND e.kind = 5
            WHERE e.kind IN (1, 2, 4, 5) AND e.id = ANY((SELECT ids FROM wanted)::bigint[])
        ) AS c
    ), (SELECT kept_after FROM log_end)
"""  # noqa: S608 - only names of columns are put in

READ_LOG = _ENTRIES.format(
    ids="SELECT id FROM log WHERE id > greatest($1, $3::bigint) ORDER BY id LIMIT $2",
    kept_after="$3::bigint",
).encode()

# First the ids, which are found in the indexes alone, and then only the rows that are wanted.
READ_FEED = _ENTRIES.format(
    ids="""
            SELECT id FROM (
                (SELECT id FROM log WHERE recipient_id IS NULL AND id > $2
                 ORDER BY id LIMIT $3)
                UNION
                (SELECT id FROM log WHERE recipient_id IS NOT NULL AND sender_id = $1
                 AND id > $2 ORDER BY id LIMIT $3)
                UNION
                (SELECT id FROM log WHERE recipient_id = $1 AND id > $2
                 ORDER BY id LIMIT $3)
            ) AS ids ORDER BY id LIMIT $3
    """,
    kept_after="$4::bigint",
).encode()

READ_MESSAGE = f"""
    SELECT json_agg(m) FROM (
        SELECT {_MESSAGE} FROM log WHERE id = $1 AND kind = 0 AND id > $2
    ) AS m
""".encode()  # noqa: S608

# Of a message that was withdrawn the change has the key; it has no text.
READ_SENT = f"""
    SELECT json_agg(m) FROM (
        SELECT {_MESSAGE} FROM log WHERE sender_id = $1 AND idempotency_key = $2
    ) AS m
""".encode()  # noqa: S608

READ_GENERAL = f"""
    SELECT json_agg(m ORDER BY id) FROM (
        SELECT {_MESSAGE} FROM log WHERE recipient_id IS NULL AND kind = 0 AND id < $1
        AND id > $3 ORDER BY id DESC LIMIT $2
    ) AS m
""".encode()  # noqa: S608

# A change of a message that is not there has withdrawn it.
READ_GENERAL_SENDERS = b"""
    SELECT json_agg(s ORDER BY id) FROM (
        SELECT id, coalesce(about, id) AS message_id, sender_id, sent_at AS at FROM log AS e
        WHERE recipient_id IS NULL AND id < $1 AND id > $3
        AND (kind = 0 OR kind = 1 AND about > $3
             AND (SELECT m.id FROM log AS m WHERE m.id = e.about) IS NULL)
        ORDER BY id DESC LIMIT $2
    ) AS s
"""

READ_PRIVATE = f"""
    SELECT json_agg(m ORDER BY id) FROM (
        (SELECT {_MESSAGE} FROM log WHERE sender_id = $1 AND recipient_id = $2 AND kind = 0
         AND id < $3 AND id > $5 ORDER BY id DESC LIMIT $4)
        UNION
        (SELECT {_MESSAGE} FROM log WHERE sender_id = $2 AND recipient_id = $1 AND kind = 0
         AND id < $3 AND id > $5 ORDER BY id DESC LIMIT $4)
        ORDER BY id DESC LIMIT $4
    ) AS m
""".encode()  # noqa: S608

_messages = json.Decoder(list[Message]).decode
_senders = json.Decoder(list[Sent]).decode


class _Change(Struct, frozen=True, gc=False):
    """An entry that is no message, as a row of the log has it."""

    id: int
    kind: int
    sender_id: int
    recipient_id: int | None
    about: int | None
    at: datetime
    text: str | None
    by_id: int
    role: Role | None
    muted_until: datetime | None
    banned_until: datetime | None
    until: datetime | None


_changes = json.Decoder(list[_Change]).decode


def read_log(after: int, limit: int, kept_after: int) -> Query:
    """The query for the log after an id, without a check of who may see it."""
    return query(READ_LOG, after, limit, kept_after)


def read_feed(user_id: int, after: int, limit: int, kept_after: int) -> Query:
    """The query for what a user may see after an id."""
    return query(READ_FEED, user_id, max(after, kept_after), limit, kept_after)


def entries(row: Row) -> tuple[list[Entry], int]:
    """The entries that a row has, by id; and up to which id the log is no longer kept."""
    found, changed, kept_after = row
    assert kept_after is not None
    messages = [] if found is None else _messages(found)
    if changed is None:
        return [*messages], int(kept_after)
    changes = [_entry(change) for change in _changes(changed)]
    return sorted([*messages, *changes], key=attrgetter("id")), int(kept_after)


def _entry(change: _Change) -> Entry:
    if change.kind == Kind.ADDRESS_BAN:
        return AddressBan(change.id, change.text or "", change.until, change.at)
    assert change.about is not None
    if change.kind == Kind.STANDING_CHANGE:
        return StandingChange(
            change.id,
            change.sender_id,
            change.about,
            change.role or "member",
            change.muted_until,
            change.banned_until,
            change.at,
        )
    if change.kind == Kind.USER_ERASED:
        return UserErased(change.id, change.sender_id, change.at)
    return MessageChange(
        change.id,
        change.sender_id,
        change.recipient_id,
        change.about,
        change.text,
        change.by_id,
        change.at,
    )


def messages(row: Row) -> list[Message]:
    """The messages that a row has."""
    (value,) = row
    return [] if value is None else _messages(value)


def senders(row: Row) -> list[Sent]:
    """Who has sent what a row has."""
    (value,) = row
    return [] if value is None else _senders(value)
