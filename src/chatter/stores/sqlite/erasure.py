"""Users who leave for good, in a SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import implementer

from chatter.log.entries import UserErased
from chatter.log.erasure import IErasure
from chatter.protocol import names
from chatter.protocol.model import ReadMark
from chatter.stores.sqlite import entries
from chatter.stores.sqlite.times import microseconds
from chatter.stores.sqlite.writing import Appending

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from chatter.log.entries import Entry
    from chatter.protocol.model import Message
    from chatter.stores.sqlite.reading import Reader
    from chatter.stores.sqlite.writing import Writer

READ_NAME = "SELECT folded_name FROM users WHERE id = ? AND erasure = 0"

RENAME = """
    UPDATE users SET name = ?2, folded_name = ?2, erasure = 1, role = 'member',
                     muted_until = NULL, banned_until = NULL
    WHERE id = ?1
"""

INSERT_ERASED = """
    INSERT INTO log (id, sender_id, text, sent_at, kind, about) VALUES (?1, ?2, '', ?3, 4, ?2)
"""

READ_UNDER_WAY = "SELECT id FROM users WHERE erasure = 1 ORDER BY id"

READ_OWN = """
    SELECT id, sender_id, recipient_id, text, sent_at, edited_at FROM log
    WHERE id > :after AND id <= :until AND kind = 0 AND :user_id IN (sender_id, recipient_id)
    ORDER BY id
"""

READ_MARKS = """
    SELECT nullif(other_id, 0), read_id FROM chats
    WHERE user_id = ? AND other_id > ? AND read_id > 0 ORDER BY other_id LIMIT ?
"""


@implementer(IErasure)
class SQLiteErasure:
    """The part of a store in a SQLite file that erases users."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def begin(self, user_id: int, at: datetime) -> UserErased | None:
        """Have a user erased."""
        entry: UserErased | None = await self._writer.submit(
            Appending(lambda connection, entry_id: _begin(connection, entry_id, user_id, at))
        )
        return entry

    async def under_way(self) -> list[int]:
        """The users whose erasure is not finished."""
        return await self._reader.submit(
            lambda connection: [row[0] for row in connection.execute(READ_UNDER_WAY)]
        )

    async def finish(self, user_id: int) -> None:
        """Note that all messages of a user were withdrawn."""
        await self._writer.submit(lambda connection: _finish(connection, user_id))

    async def read_own(self, user_id: int, after: int, until: int) -> list[Message]:
        """The messages that a user has sent, and the private ones to the user."""
        wanted = {"user_id": user_id, "after": after, "until": until}
        return await self._reader.submit(
            lambda connection: entries.read_messages(connection, READ_OWN, wanted)
        )

    async def read_marks(self, user_id: int, after: int, limit: int) -> list[ReadMark]:
        """The read marks of a user."""
        wanted = (user_id, after, limit)
        return await self._reader.submit(
            lambda connection: [ReadMark(*row) for row in connection.execute(READ_MARKS, wanted)]
        )


def _begin(
    connection: sqlite3.Connection, entry_id: int, user_id: int, at: datetime
) -> tuple[UserErased | None, list[Entry]]:
    erased = names.erased(user_id)
    row = connection.execute(READ_NAME, (user_id,)).fetchone()
    if row is None:
        return None, []
    connection.execute("INSERT INTO taken_names (hash) VALUES (?)", (names.digest(row[0]),))
    connection.execute(RENAME, (user_id, erased))
    connection.execute("DELETE FROM tokens WHERE user_id = ?", (user_id,))
    connection.execute(INSERT_ERASED, (entry_id, user_id, microseconds(at)))
    entry = UserErased(entry_id, user_id, at)
    return entry, [entry]


def _finish(connection: sqlite3.Connection, user_id: int) -> None:
    connection.execute("UPDATE users SET erasure = 2 WHERE id = ?", (user_id,))
    connection.execute("DELETE FROM chats WHERE user_id = ?", (user_id,))
