"""The tokens of the users in a SQLite file, and those who join with one.  The SQL blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import json
from zope.interface import implementer

from chatter.log.tokens import ITokens
from chatter.protocol import names
from chatter.protocol.errors import KeyUsed, NameTaken, TooManyTokens, UnknownRecipient
from chatter.protocol.model import Token, User
from chatter.protocol.scalars import MAX_ID
from chatter.stores.sqlite.times import microseconds, moment

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection
    from datetime import datetime

    from chatter.stores.sqlite.reading import Reader
    from chatter.stores.sqlite.writing import Writer

_TOKEN = "tokens.id, user_id, label, created_at, seen_at"  # noqa: S105 - names of columns

FIND = f"""
    SELECT {_TOKEN}, name, last_seen FROM tokens JOIN users ON users.id = user_id
    WHERE hash = ?
"""  # noqa: S608

OF_USER = f"SELECT {_TOKEN} FROM tokens WHERE user_id = ? ORDER BY id"  # noqa: S608

ADD = """
    INSERT INTO tokens (user_id, hash, label, created_at, seen_at)
    SELECT id, ?2, ?3, ?4, ?4 FROM users
    WHERE id = ?1 AND erasure = 0 AND (SELECT count(*) FROM tokens WHERE user_id = ?1) < ?5
    ON CONFLICT (hash) DO NOTHING
"""

IS_THERE = "SELECT 1 FROM users WHERE id = ? AND erasure = 0"

REVOKE = "DELETE FROM tokens WHERE user_id = ?1 AND (?2 IS NULL OR id = ?2)"

FIND_TAKEN = "SELECT 1 FROM taken_names WHERE hash = ?"

# The user with the largest id may have been deleted by hand.
INSERT_USER = """
    INSERT INTO users (id, name, folded_name, cursor, last_seen, joined_at)
    SELECT max(last_id, coalesce((SELECT max(id) FROM users), 0)) + 1, ?1, ?2, ?3, ?4, ?4
    FROM users_end WHERE true ON CONFLICT DO NOTHING
"""

SAVE_USES = """
    UPDATE tokens SET seen_at = max(seen_at, json_extract(value, '$[1]'))
    FROM json_each(?) WHERE tokens.id = json_extract(value, '$[0]')
"""


@implementer(ITokens)
class SQLiteTokens:
    """Tokens in a SQLite file."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self.revoked: Callable[[int], None] | None = None
        self._reader = reader
        self._writer = writer

    async def find(self, token_hash: bytes) -> tuple[Token, User] | None:
        """The token with that hash, and its user."""
        return await self._reader.submit(lambda connection: _find(connection, token_hash))

    async def add(
        self, user_id: int, token_hash: bytes, label: str, now: datetime, most: int = MAX_ID
    ) -> Token:
        """Give a user one more token."""
        token: Token = await self._writer.submit(
            lambda connection: insert_token(connection, user_id, token_hash, label, now, most)
        )
        return token

    async def of_user(self, user_id: int) -> list[Token]:
        """The tokens of a user, by id."""
        return await self._reader.submit(
            lambda connection: [_token(row) for row in connection.execute(OF_USER, (user_id,))]
        )

    async def revoke(self, user_id: int, token_id: int | None) -> bool:
        """Take a token from a user, or all of them."""
        gone: int = await self._writer.submit(
            lambda connection: _run(connection, REVOKE, (user_id, token_id))
        )
        if gone and self.revoked is not None:
            self.revoked(user_id)
        return bool(gone)

    async def save_uses(self, uses: Collection[tuple[int, datetime]]) -> None:
        """Note when tokens were used last."""
        rows = json.encode([(token_id, microseconds(used)) for token_id, used in uses]).decode()
        await self._writer.submit(
            lambda connection: connection.execute(SAVE_USES, (rows,)).rowcount
        )


def _run(connection: sqlite3.Connection, statement: str, parameters: tuple[object, ...]) -> int:
    """Run a statement; returns how many rows it has changed."""
    return connection.execute(statement, parameters).rowcount


def insert_token(
    connection: sqlite3.Connection,
    user_id: int,
    token_hash: bytes,
    label: str,
    now: datetime,
    most: int = MAX_ID,
) -> Token:
    """Give a user one more token.

    :raises KeyUsed: if somebody has that token.
    :raises TooManyTokens: if the user has as many as are allowed.
    :raises UnknownRecipient: if there is no such user, or the user has left for good.
    """
    added = connection.execute(ADD, (user_id, token_hash, label, microseconds(now), most))
    if added.rowcount == 0:
        if connection.execute(IS_THERE, (user_id,)).fetchone() is None:
            raise UnknownRecipient(f"There is no user {user_id}.")
        if _find(connection, token_hash) is not None:
            raise KeyUsed("Somebody has that token.")
        raise TooManyTokens(f"A user has at most {most} tokens: revoke one first.")
    assert added.lastrowid is not None
    return Token(added.lastrowid, user_id, label, now, now)


def insert_user(
    connection: sqlite3.Connection,
    name: str,
    token_hash: bytes | None,
    cursor: int,
    now: datetime,
) -> User:
    """Add a user, with a token if there is one.

    :raises NameTaken: if somebody has that name, or that token.
    """
    folded = names.fold(name)
    is_taken = connection.execute(FIND_TAKEN, (names.digest(folded),)).fetchone() is not None
    if is_taken or (token_hash is not None and _find(connection, token_hash) is not None):
        raise NameTaken("Somebody has that name.")
    added = connection.execute(INSERT_USER, (name, folded, cursor, microseconds(now)))
    if added.rowcount == 0 or added.lastrowid is None:
        raise NameTaken("Somebody has that name.")
    user = User(added.lastrowid, name, now)
    if token_hash is not None:
        insert_token(connection, user.id, token_hash, "", now)
    return user


def _find(connection: sqlite3.Connection, token_hash: bytes) -> tuple[Token, User] | None:
    row = connection.execute(FIND, (token_hash,)).fetchone()
    return None if row is None else (_token(row), User(row[1], row[5], moment(row[6])))


def _token(row: tuple[Any, ...]) -> Token:
    created_at = None if row[3] is None else moment(row[3])
    return Token(row[0], row[1], row[2], created_at, moment(row[4]))
