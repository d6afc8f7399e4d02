"""The tokens of the users of a store in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from zope.interface import implementer

from chatter.log.tokens import ITokens
from chatter.protocol.errors import KeyUsed, TooManyTokens, UnknownRecipient
from chatter.protocol.model import Token
from chatter.protocol.scalars import MAX_ID

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection
    from datetime import datetime

    from chatter.protocol.model import User


@implementer(ITokens)
class MemoryTokens:
    """Tokens in memory.

    :param users: the users by id.
    :param check: raises unless the store is open.
    """

    def __init__(self, users: dict[int, User], check: Callable[[], Awaitable[None]]) -> None:
        self.revoked: Callable[[int], None] | None = None
        self._users = users
        self._check = check
        self._tokens: dict[bytes, Token] = {}
        self._left: set[int] = set()
        self._last_id = 0

    def __contains__(self, token_hash: bytes) -> bool:
        return token_hash in self._tokens

    def give(self, user_id: int, token_hash: bytes, label: str, now: datetime) -> Token:
        """Give a user one more token."""
        self._last_id += 1
        token = self._tokens[token_hash] = Token(self._last_id, user_id, label, now, now)
        return token

    def drop(self, user_id: int, token_id: int | None = None) -> bool:
        """Take a token from a user, or all of them."""
        gone = [
            token_hash
            for token_hash, token in self._tokens.items()
            if token.user_id == user_id and token_id in (None, token.id)
        ]
        for token_hash in gone:
            del self._tokens[token_hash]
        return bool(gone)

    def end(self, user_id: int) -> None:
        """Take all tokens from a user, who gets none any more."""
        self._left.add(user_id)
        self.drop(user_id)

    async def find(self, token_hash: bytes) -> tuple[Token, User] | None:
        """The token with that hash, and its user."""
        await self._check()
        token = self._tokens.get(token_hash)
        return None if token is None else (token, self._users[token.user_id])

    async def add(
        self, user_id: int, token_hash: bytes, label: str, now: datetime, most: int = MAX_ID
    ) -> Token:
        """Give a user one more token."""
        await self._check()
        if user_id not in self._users or user_id in self._left:
            raise UnknownRecipient(f"There is no user {user_id}.")
        if token_hash in self._tokens:
            raise KeyUsed("Somebody has that token.")
        if sum(token.user_id == user_id for token in self._tokens.values()) >= most:
            raise TooManyTokens(f"A user has at most {most} tokens: revoke one first.")
        return self.give(user_id, token_hash, label, now)

    async def of_user(self, user_id: int) -> list[Token]:
        """The tokens of a user, by id."""
        await self._check()
        return [token for token in self._tokens.values() if token.user_id == user_id]

    async def revoke(self, user_id: int, token_id: int | None) -> bool:
        """Take a token from a user, or all of them."""
        await self._check()
        has_gone = self.drop(user_id, token_id)
        if has_gone and self.revoked is not None:
            self.revoked(user_id)
        return has_gone

    async def save_uses(self, uses: Collection[tuple[int, datetime]]) -> None:
        """Note when tokens were used last."""
        await self._check()
        used_at = dict(uses)
        for token_hash, token in self._tokens.items():
            moment = used_at.get(token.id)
            if moment is not None and moment > token.seen_at:
                self._tokens[token_hash] = replace(token, seen_at=moment)
