"""Users who leave for good, in a PostgreSQL database."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import json
from zope.interface import implementer

from chatter.log.entries import UserErased
from chatter.log.erasure import IErasure
from chatter.protocol import names
from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.model import ReadMark
from chatter.stores.postgres import entries
from chatter.stores.postgres.session import Query, query
from chatter.stores.postgres.write_batch import Step, without_entries

if TYPE_CHECKING:
    from datetime import datetime

    from chatter.log.entries import Entry
    from chatter.protocol.model import Message
    from chatter.stores.postgres.connected_log import ConnectedLog
    from chatter.stores.postgres.session import Row
    from chatter.stores.postgres.writing import Writer

BEGIN_ERASURE = b"SELECT begin_erasure($1, $2, $3)"

FINISH_ERASURE = b"SELECT finish_erasure($1)"

READ_UNDER_WAY = b"""
    SELECT json_agg(id ORDER BY id) FROM (SELECT id FROM users WHERE erasure = 1) AS u
"""

READ_OWN = b"""
    SELECT json_agg(m ORDER BY id) FROM (
        SELECT id, sender_id, recipient_id, text, sent_at, edited_at FROM log
        WHERE id > $2 AND id <= $3 AND kind = 0 AND (sender_id = $1 OR recipient_id = $1)
    ) AS m
"""

READ_MARKS = b"""
    SELECT json_agg(m ORDER BY recipient_id NULLS FIRST) FROM (
        SELECT nullif(other_id, 0) AS recipient_id, read_id AS id FROM chats
        WHERE user_id = $1 AND other_id > $2 AND read_id > 0 ORDER BY other_id LIMIT $3
    ) AS m
"""

_entry = json.Decoder(UserErased).decode
_marks = json.Decoder(list[ReadMark]).decode
_ids = json.Decoder(list[int]).decode


@implementer(IErasure)
class PostgresErasure:
    """The part of a store in a database that erases users."""

    def __init__(self, writes: Writer, connected: ConnectedLog) -> None:
        self._writes = writes
        self._connected = connected

    async def begin(self, user_id: int, at: datetime) -> UserErased | None:
        """Have a user erased."""
        wanted = query(BEGIN_ERASURE, user_id, names.erased(user_id), at.isoformat())
        entry: UserErased | None = await self._writes.submit(Step(wanted, _begun))
        if entry is not None:
            # It goes on, also if the log can't be read on now; the user could not repeat it.
            with suppress(StoreUnavailable):
                await self._connected.tail.reached(entry.id)
        return entry

    async def under_way(self) -> list[int]:
        """The users whose erasure is not finished."""
        (value,) = await self._connected.reads.row(Query(READ_UNDER_WAY))
        return [] if value is None else _ids(value)

    async def finish(self, user_id: int) -> None:
        """Note that all messages of a user were withdrawn."""
        await self._writes.submit(Step(query(FINISH_ERASURE, user_id), without_entries))

    async def read_own(self, user_id: int, after: int, until: int) -> list[Message]:
        """The messages that a user has sent, and the private ones to the user."""
        wanted = query(READ_OWN, user_id, after, until)
        return entries.messages(await self._connected.reads.row(wanted))

    async def read_marks(self, user_id: int, after: int, limit: int) -> list[ReadMark]:
        """The read marks of a user."""
        (value,) = await self._connected.reads.row(query(READ_MARKS, user_id, after, limit))
        return [] if value is None else _marks(value)


def _begun(row: Row) -> tuple[UserErased | None, list[Entry]]:
    (value,) = row
    if value is None:
        return None, []
    entry = _entry(value)
    return entry, [entry]
