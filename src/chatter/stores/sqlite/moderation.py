"""The standing of users in the SQLite file: the SQL, and rows made values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from chatter.log.entries import standing_change
from chatter.log.moderation import IModerationStore
from chatter.protocol.errors import UnknownRecipient
from chatter.protocol.model import Standing
from chatter.stores.sqlite.statements import microseconds, moment
from chatter.stores.sqlite.writing import Appending

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from chatter.log.entries import Entry, StandingChange, StandingDraft
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
    WHERE id = :user_id RETURNING {_STANDING}
"""  # noqa: S608

INSERT_STANDING_CHANGE = """
    INSERT INTO log (id, sender_id, recipient_id, text, sent_at, kind, about)
    VALUES (?1, ?2, ?3, '', ?4, 2, ?3)
"""


@implementer(IModerationStore)
class SQLiteModeration:
    """The part of a store in a SQLite file that knows what users may do."""

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
