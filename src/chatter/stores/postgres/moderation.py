"""The standing of users in the database: the SQL, and rows made values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import json
from zope.interface import implementer

from chatter.log.entries import StandingChange
from chatter.log.moderation import IModerationStore
from chatter.protocol.errors import UnknownRecipient
from chatter.protocol.model import Standing
from chatter.stores.postgres.session import Query
from chatter.stores.postgres.writing import Step

if TYPE_CHECKING:
    from chatter.log.entries import Entry, StandingDraft
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

_encode = json.Encoder().encode
_entry = json.Decoder(StandingChange).decode
_standings = json.Decoder(list[Standing]).decode


@implementer(IModerationStore)
class PostgresModeration:
    """The part of a store in a database that knows what users may do."""

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


def _changed(row: Row) -> tuple[Any, list[Entry]]:
    (value,) = row
    if value is None:
        return None, []
    entry = _entry(value)
    return entry, [entry]
