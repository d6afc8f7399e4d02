"""Moderation in the database: the SQL, and rows made values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import json
from zope.interface import implementer

from chatter.log.entries import AddressBan, StandingChange
from chatter.log.moderation import MOST_REPORTS, IModerationStore
from chatter.protocol.errors import UnknownRecipient
from chatter.protocol.model import Standing
from chatter.protocol.moderation import BannedAddress, OwnReport, Report
from chatter.protocol.scalars import MAX_ID
from chatter.stores.postgres.session import Query, query
from chatter.stores.postgres.write_batch import Step

if TYPE_CHECKING:
    from datetime import datetime

    from chatter.log.entries import Entry, ReportDraft, StandingDraft
    from chatter.stores.postgres.connected_log import ConnectedLog
    from chatter.stores.postgres.session import Row
    from chatter.stores.postgres.writing import Writer

# The same condition as the one of the index.
READ_STANDINGS = b"""
    SELECT json_agg(s ORDER BY user_id) FROM (
        SELECT id AS user_id, role, muted_until, banned_until FROM users
        WHERE role <> 'member' OR muted_until IS NOT NULL OR banned_until IS NOT NULL
    ) AS s
"""

SET_STANDING = b"SELECT set_standing($1)"

ADD_REPORT = b"SELECT add_report($1, $2, $3)"

READ_REPORTS = b"""
    SELECT json_agg(r ORDER BY id DESC) FROM (
        SELECT r.id, r.reporter_id, r.reason, r.reported_at AS at,
               json_build_object('id', m.id, 'sender_id', m.sender_id,
                   'recipient_id', m.recipient_id, 'text', m.text, 'sent_at', m.sent_at,
                   'edited_at', m.edited_at) AS message
        FROM reports AS r JOIN log AS m ON m.id = r.message_id AND m.kind = 0
        AND m.id > (SELECT kept_after FROM log_end)
        WHERE r.id < $1 ORDER BY r.id DESC LIMIT $2
    ) AS r
"""

READ_REPORTS_BY = b"""
    SELECT json_agg(r ORDER BY message_id) FROM (
        SELECT message_id, reason, reported_at AS at FROM reports
        WHERE reporter_id = $1 AND message_id > $2 ORDER BY message_id LIMIT $3
    ) AS r
"""

IS_REPORTED = b"SELECT EXISTS (SELECT FROM reports WHERE message_id = $1)"

DISMISS_REPORTS = b"SELECT dismiss_reports($1)"

FORGET_REPORTS = b"""
    WITH gone AS (DELETE FROM reports WHERE $1 IN (author_id, reporter_id) RETURNING 1)
    SELECT count(*) FROM gone
"""

BAN_ADDRESS = b"SELECT ban_address($1, $2, $3)"

READ_BANNED_ADDRESSES = b'SELECT json_agg(b ORDER BY network COLLATE "C") FROM address_bans AS b'

_encode = json.Encoder().encode
_entry = json.Decoder(StandingChange).decode
_reports = json.Decoder(list[Report]).decode
_own_reports = json.Decoder(list[OwnReport]).decode
_banned = json.Decoder(list[BannedAddress]).decode
_standings = json.Decoder(list[Standing]).decode


@implementer(IModerationStore)
class PostgresModeration:
    """The part of a store in a database that knows what users may do, and have reported."""

    def __init__(self, writes: Writer, connected: ConnectedLog) -> None:
        self._writes = writes
        self._connected = connected

    async def set_standing(self, draft: StandingDraft) -> StandingChange:
        """Change a user's standing."""
        wanted = Query(SET_STANDING, (_encode(draft),))
        entry: StandingChange | None = await self._writes.submit(Step(wanted, _changed))
        if entry is None:
            raise UnknownRecipient(f"There is no user {draft.user_id}.")
        await self._connected.tail.reached(entry.id)
        return entry

    async def standings(self) -> list[Standing]:
        """The standing of each user who has one."""
        (value,) = await self._connected.reads.row(Query(READ_STANDINGS))
        return [] if value is None else _standings(value)

    async def report(self, draft: ReportDraft, since: datetime) -> int:
        """Keep a report."""
        parameters = (_encode(draft), since.isoformat().encode(), b"%d" % MOST_REPORTS)
        count: bytes = await self._writes.submit(Step(Query(ADD_REPORT, parameters), _value))
        return int(count)

    async def reports(self, before: int | None, limit: int) -> list[Report]:
        """The newest reports."""
        wanted = query(READ_REPORTS, MAX_ID if before is None else before, limit)
        (value,) = await self._connected.reads.row(wanted)
        return [] if value is None else _reports(value)

    async def reports_by(self, reporter_id: int, after: int, limit: int) -> list[OwnReport]:
        """The reports that a user has made."""
        wanted = query(READ_REPORTS_BY, reporter_id, after, limit)
        (value,) = await self._connected.reads.row(wanted)
        return [] if value is None else _own_reports(value)

    async def is_reported(self, message_id: int) -> bool:
        """Whether somebody has reported a message."""
        (value,) = await self._connected.reads.row(query(IS_REPORTED, message_id))
        return value == b"t"

    async def dismiss_reports(self, author_id: int) -> None:
        """Forget the reports of all messages of a user."""
        await self._writes.submit(Step(query(DISMISS_REPORTS, author_id), _value))

    async def forget_reports(self, user_id: int) -> None:
        """Forget what a user has reported, and the reports of the user's messages."""
        await self._writes.submit(Step(query(FORGET_REPORTS, user_id), _value))

    async def ban_address(self, network: str, until: datetime | None, at: datetime) -> AddressBan:
        """Ban a network."""
        end = None if until is None else until.isoformat().encode()
        wanted = Query(BAN_ADDRESS, (network.encode(), end, at.isoformat().encode()))

        def made(row: Row) -> tuple[AddressBan, list[Entry]]:
            entry = AddressBan(int(row[0] or 0), network, until, at)
            return entry, [entry]

        entry: AddressBan = await self._writes.submit(Step(wanted, made))
        await self._connected.tail.reached(entry.id)
        return entry

    async def banned_addresses(self) -> list[BannedAddress]:
        """The networks that are banned."""
        (value,) = await self._connected.reads.row(Query(READ_BANNED_ADDRESSES))
        return [] if value is None else _banned(value)


def _value(row: Row) -> tuple[bytes | None, list[Entry]]:
    return row[0], []


def _changed(row: Row) -> tuple[Any, list[Entry]]:
    (value,) = row
    if value is None:
        return None, []
    entry = _entry(value)
    return entry, [entry]
