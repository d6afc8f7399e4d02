"""Moderation in the SQLite file: the SQL, and rows made values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import astuple
from zope.interface import implementer

from chatter.log.entries import AddressBan, standing_change
from chatter.log.moderation import MOST_REPORTS, IModerationStore
from chatter.protocol.errors import UnknownRecipient
from chatter.protocol.model import Standing
from chatter.protocol.moderation import BannedAddress, OwnReport, Report
from chatter.protocol.scalars import MAX_ID
from chatter.stores.sqlite.entries import message
from chatter.stores.sqlite.times import microseconds, moment
from chatter.stores.sqlite.writing import Appending

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from chatter.log.entries import Entry, ReportDraft, StandingChange, StandingDraft
    from chatter.stores.sqlite.reading import Reader
    from chatter.stores.sqlite.writing import Writer

_STANDING = "id, role, muted_until, banned_until"

# The same condition as the one of the index.
READ_STANDINGS = f"""
    SELECT {_STANDING} FROM users
    WHERE role <> 'member' OR muted_until IS NOT NULL OR banned_until IS NOT NULL ORDER BY id
"""  # noqa: S608

SET_STANDING = f"""
    UPDATE users SET
        role = CASE :what WHEN 'role' THEN :role ELSE role END,
        muted_until = CASE :what WHEN 'mute' THEN :until ELSE muted_until END,
        banned_until = CASE :what WHEN 'ban' THEN :until ELSE banned_until END
    WHERE id = :user_id AND erasure = 0 RETURNING {_STANDING}
"""  # noqa: S608

INSERT_STANDING_CHANGE = """
    INSERT INTO log (id, sender_id, recipient_id, text, sent_at, kind, about)
    VALUES (?1, ?2, ?3, '', ?4, 2, ?3)
"""


ADD_REPORT = """
    INSERT INTO reports (id, message_id, author_id, reporter_id, reason, reported_at)
    VALUES ((SELECT coalesce(max(id), 0) + 1 FROM reports), ?, ?, ?, ?, ?)
    ON CONFLICT (message_id, reporter_id) DO NOTHING
"""

FORGET_OLD_REPORTS = "DELETE FROM reports WHERE id <= (SELECT max(id) FROM reports) - ?"

COUNT_REPORTERS = """
    SELECT count(DISTINCT reporter_id) FROM reports
    WHERE author_id = ? AND reporter_id <> author_id AND reported_at > ?
"""

READ_REPORTS = """
    SELECT m.id, m.sender_id, m.recipient_id, m.text, m.sent_at, m.edited_at,
           r.id, r.reporter_id, r.reason, r.reported_at
    FROM reports AS r JOIN log AS m ON m.id = r.message_id AND m.kind = 0
    AND m.id > (SELECT kept_after FROM log_end)
    WHERE r.id < ? ORDER BY r.id DESC LIMIT ?
"""

READ_REPORTS_BY = """
    SELECT message_id, reason, reported_at FROM reports WHERE reporter_id = ? AND message_id > ?
    ORDER BY message_id LIMIT ?
"""

IS_REPORTED = "SELECT EXISTS (SELECT 1 FROM reports WHERE message_id = ?)"

BAN_ADDRESS = """
    INSERT INTO address_bans VALUES (?, ?)
    ON CONFLICT (network) DO UPDATE SET until = excluded.until
"""

INSERT_ADDRESS_BAN = """
    INSERT INTO log (id, sender_id, recipient_id, text, sent_at, kind) VALUES (?, 0, 0, ?, ?, 5)
"""


@implementer(IModerationStore)
class SQLiteModeration:
    """The part of a store in a SQLite file that knows what users may do, and have reported."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def set_standing(self, draft: StandingDraft) -> StandingChange:
        """Change a user's standing."""
        entry: StandingChange = await self._writer.submit(
            Appending(lambda connection, entry_id: _set_standing(connection, entry_id, draft))
        )
        return entry

    async def standings(self) -> list[Standing]:
        """The standing of each user who has one."""
        return await self._reader.submit(_read_standings)

    async def report(self, draft: ReportDraft, since: datetime) -> int:
        """Keep a report."""
        count: int = await self._writer.submit(lambda connection: _add(connection, draft, since))
        return count

    async def reports(self, before: int | None, limit: int) -> list[Report]:
        """The newest reports."""
        below = MAX_ID if before is None else before
        return await self._reader.submit(
            lambda connection: [
                Report(row[6], message(row), row[7], row[8], moment(row[9]))
                for row in connection.execute(READ_REPORTS, (below, limit))
            ]
        )

    async def reports_by(self, reporter_id: int, after: int, limit: int) -> list[OwnReport]:
        """The reports that a user has made."""
        wanted = (reporter_id, after, limit)
        return await self._reader.submit(
            lambda connection: [
                OwnReport(message_id, reason, moment(at))
                for message_id, reason, at in connection.execute(READ_REPORTS_BY, wanted)
            ]
        )

    async def is_reported(self, message_id: int) -> bool:
        """Whether somebody has reported a message."""
        return await self._reader.submit(
            lambda connection: bool(connection.execute(IS_REPORTED, (message_id,)).fetchone()[0])
        )

    async def dismiss_reports(self, author_id: int) -> None:
        """Forget the reports of all messages of a user."""
        dismiss = "DELETE FROM reports WHERE author_id = ?"
        await self._writer.submit(lambda connection: _done(connection, dismiss, author_id))

    async def forget_reports(self, user_id: int) -> None:
        """Forget what a user has reported, and the reports of the user's messages."""
        forget = "DELETE FROM reports WHERE ?1 IN (author_id, reporter_id)"
        await self._writer.submit(lambda connection: _done(connection, forget, user_id))

    async def ban_address(self, network: str, until: datetime | None, at: datetime) -> AddressBan:
        """Ban a network."""
        entry: AddressBan = await self._writer.submit(
            Appending(
                lambda connection, entry_id: _ban_address(
                    connection, AddressBan(entry_id, network, until, at)
                )
            )
        )
        return entry

    async def banned_addresses(self) -> list[BannedAddress]:
        """The networks that are banned."""
        read = "SELECT network, until FROM address_bans ORDER BY network"
        return await self._reader.submit(
            lambda connection: [
                BannedAddress(network, moment(until)) for network, until in connection.execute(read)
            ]
        )


def _add(connection: sqlite3.Connection, draft: ReportDraft, since: datetime) -> int:
    message_id, author_id, reporter_id, reason, at = astuple(draft)
    values = (message_id, author_id, reporter_id, reason, microseconds(at))
    connection.execute(ADD_REPORT, values)
    connection.execute(FORGET_OLD_REPORTS, (MOST_REPORTS,))
    counted = connection.execute(COUNT_REPORTERS, (author_id, microseconds(since)))
    return int(counted.fetchone()[0])


def _done(connection: sqlite3.Connection, statement: str, *parameters: int) -> None:
    connection.execute(statement, parameters)


def _ban_address(
    connection: sqlite3.Connection, entry: AddressBan
) -> tuple[AddressBan, list[Entry]]:
    at = microseconds(entry.at)
    connection.execute("DELETE FROM address_bans WHERE until <= ?", (at,))
    if entry.until is None:
        connection.execute("DELETE FROM address_bans WHERE network = ?", (entry.network,))
    else:
        connection.execute(BAN_ADDRESS, (entry.network, microseconds(entry.until)))
    connection.execute(INSERT_ADDRESS_BAN, (entry.id, entry.network, at))
    return entry, [entry]


def _set_standing(
    connection: sqlite3.Connection, entry_id: int, draft: StandingDraft
) -> tuple[StandingChange, list[Entry]]:
    parameters: dict[str, Any] = {
        "user_id": draft.user_id,
        "what": draft.what,
        "role": draft.role,
        "until": None if draft.until is None else microseconds(draft.until),
    }
    row = connection.execute(SET_STANDING, parameters).fetchone()
    if row is None:
        raise UnknownRecipient(f"There is no user {draft.user_id}.")
    entry = standing_change(entry_id, draft, _standing(row))
    values = (entry_id, draft.by_id, draft.user_id, microseconds(draft.at))
    connection.execute(INSERT_STANDING_CHANGE, values)
    return entry, [entry]


def _read_standings(connection: sqlite3.Connection) -> list[Standing]:
    return [_standing(row) for row in connection.execute(READ_STANDINGS)]


def _standing(row: tuple[Any, ...]) -> Standing:
    return Standing(row[0], row[1], _until(row[2]), _until(row[3]))


def _until(value: int | None) -> datetime | None:
    return None if value is None else moment(value)
