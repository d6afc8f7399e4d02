"""The tokens of the users in a PostgreSQL database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, json

from chatter.protocol.errors import KeyUsed, TooManyTokens, UnknownRecipient
from chatter.protocol.model import Token, User
from chatter.protocol.scalars import MAX_ID
from chatter.stores.postgres.session import query
from chatter.stores.postgres.write_batch import Step, without_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from chatter.stores.postgres.reading import Reader
    from chatter.stores.postgres.revocations import Revocations
    from chatter.stores.postgres.session import Row
    from chatter.stores.postgres.writing import Writer

_TOKEN = "id, user_id, label, created_at, seen_at"  # noqa: S105 - names of columns

FIND_TOKEN = f"""
    SELECT json_build_object('token', t, 'user', (
        SELECT u FROM (SELECT id, name, last_seen FROM users WHERE id = t.user_id) AS u
    )) FROM (SELECT {_TOKEN} FROM tokens WHERE hash = decode($1, 'hex')) AS t
""".encode()  # noqa: S608 - only names of columns are put in

READ_TOKENS = f"""
    SELECT json_agg(t ORDER BY id) FROM (SELECT {_TOKEN} FROM tokens WHERE user_id = $1) AS t
""".encode()  # noqa: S608 - only names of columns are put in

ADD_TOKEN = b"SELECT new_id, refused FROM add_token($1, decode($2, 'hex'), $3, $4, $5)"

REVOKE_TOKENS = b"SELECT gone, number FROM revoke_tokens($1, nullif($2, 0))"

SAVE_USES = b"""
    WITH saved AS (
        UPDATE tokens SET seen_at = greatest(tokens.seen_at, u.seen_at)
        FROM json_to_recordset($1) AS u (id bigint, seen_at timestamptz)
        WHERE tokens.id = u.id RETURNING 1
    )
    SELECT count(*) FROM saved
"""


class _Found(Struct):
    token: Token
    user: User


_found = json.Decoder(_Found).decode
_tokens = json.Decoder(list[Token]).decode


class PostgresTokens:
    """Tokens in a PostgreSQL database.

    :param revocations: are told of what is revoked here.
    """

    def __init__(self, reads: Reader, writes: Writer, revocations: Revocations) -> None:
        self._reads = reads
        self._writes = writes
        self._revocations = revocations

    @property
    def revoked(self) -> Callable[[int], None] | None:
        """Called with the id of a user whose tokens were revoked."""
        return self._revocations.report

    @revoked.setter
    def revoked(self, report: Callable[[int], None] | None) -> None:
        self._revocations.report = report

    async def find(self, token_hash: bytes) -> tuple[Token, User] | None:
        """The token with that hash, and its user."""
        row = await self._reads.row(query(FIND_TOKEN, token_hash.hex()))
        if not row or row[0] is None:
            return None
        found = _found(row[0])
        return found.token, found.user

    async def add(
        self, user_id: int, token_hash: bytes, label: str, now: datetime, most: int = MAX_ID
    ) -> Token:
        """Give a user one more token."""
        new_id, refused = await self._write(
            ADD_TOKEN, user_id, token_hash.hex(), label, now.isoformat(), most
        )
        if new_id is not None:
            return Token(int(new_id), user_id, label, now, now)
        if refused == b"left":
            raise UnknownRecipient(f"There is no user {user_id}.")
        if refused == b"used":
            raise KeyUsed("Somebody has that token.")
        raise TooManyTokens(f"A user has at most {most} tokens: revoke one first.")

    async def of_user(self, user_id: int) -> list[Token]:
        """The tokens of a user, by id."""
        (value,) = await self._reads.row(query(READ_TOKENS, user_id))
        return [] if value is None else _tokens(value)

    async def revoke(self, user_id: int, token_id: int | None) -> bool:
        """Take a token from a user, or all of them."""
        _, number = await self._write(REVOKE_TOKENS, user_id, token_id or 0)
        if number is None:
            return False
        self._revocations.happened(int(number), user_id)
        return True

    async def save_uses(self, uses: Collection[tuple[int, datetime]]) -> None:
        """Note when tokens were used last."""
        rows = [{"id": token_id, "seen_at": used_at} for token_id, used_at in uses]
        await self._write(SAVE_USES, json.encode(rows).decode())

    async def _write(self, sql: bytes, *parameters: int | str) -> Row:
        row: Row = await self._writes.submit(Step(query(sql, *parameters), without_entries))
        return row
