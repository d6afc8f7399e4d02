"""Joining: a new user gets a name, a token, and the latest messages to read."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from chatter.chat.directory import hash_of
from chatter.protocol import names
from chatter.protocol.errors import KeyUsed, NameTaken
from chatter.protocol.model import JoinKey
from chatter.protocol.validation import checked_key

if TYPE_CHECKING:
    from random import Random

    from chatter.chat.directory import Directory
    from chatter.chat.presence import Presence
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import User


KEY_LIFETIME = timedelta(minutes=10)
"""For so long joining can be repeated with the same key."""


class Joining:
    """Adds users to a chat.

    :param history: how many messages of the general chat are unread for a new user.
    :param random: where tokens and the names of guests come from.
    """

    def __init__(
        self,
        store: IChatStore,
        presence: Presence,
        directory: Directory,
        history: int,
        random: Random,
    ) -> None:
        self._store = store
        self._presence = presence
        self._directory = directory
        self._history = history
        self._random = random

    async def connect(self, name: str | None, key: str | None = None) -> tuple[User, str]:
        """Add a user with a token; without a name, with one that nobody has.

        :param key: a retry with the same key, and the same name or none, gets the same
            user and token again for :data:`KEY_LIFETIME`.  The token is made from it, so
            that nothing has to be remembered, and it is as secret as the token.
        :raises InvalidRequest: if no user can have that name, or the key can't be used.
        :raises NameTaken: if somebody has the name.
        :raises KeyUsed: if the key was used for another name, or too long ago.
        :raises StoreUnavailable: if the store can't serve.
        """
        if key is None:
            token = f"{self._random.getrandbits(256):064x}"
        else:
            token = _token_of(checked_key(key, JoinKey))
        token_hash = hash_of(token)
        while True:
            if key is not None:
                user = await self._joined_before(name, token_hash)
                if user is not None:
                    return user, token
            try:
                wanted = names.suggest(self._random) if name is None else name
                user = await self._add_user(wanted, token_hash)
            except NameTaken:
                if name is not None and not await self._is_used(key, token_hash):
                    raise
            else:
                return user, token

    async def _joined_before(self, name: str | None, token_hash: bytes) -> User | None:
        """The user who has joined with a key; ``None`` if nobody has.

        :raises KeyUsed: if it was for another name, or too long ago.
        """
        user = await self._store.user_by_token(token_hash)
        if user is None:
            return None
        since = self._presence.now() - KEY_LIFETIME
        if await self._store.user_joined(token_hash, since) is None:
            raise KeyUsed("Somebody has joined with this Idempotency-Key a while ago.")
        if name is not None and names.fold(name) != names.fold(user.name):
            raise KeyUsed("Somebody has joined with this Idempotency-Key, with another name.")
        return user

    async def _is_used(self, key: str | None, token_hash: bytes) -> bool:
        """Whether somebody has joined with a key, perhaps in this very moment."""
        return key is not None and await self._store.user_by_token(token_hash) is not None

    async def join(self, name: str) -> User:
        """The user with that name, who is added without a token if there is none.

        :raises InvalidRequest: if no user can have that name.
        :raises StoreUnavailable: if the store can't serve.
        """
        user = await self._directory.by_name(name)
        if user is not None:
            return user
        try:
            return await self._add_user(name, None)
        except NameTaken:  # by somebody who joined meanwhile
            return await self.join(name)

    async def _add_user(self, name: str, token_hash: bytes | None) -> User:
        names.check(name)
        newest = await self._store.read_general(None, self._history + 1)
        cursor = newest[0].id if len(newest) > self._history else 0
        return await self._store.add_user(name, token_hash, cursor, self._presence.now())


def _token_of(key: str) -> str:
    """The token of a user who joins with a key."""
    return sha256(b"chatter: the token of a join key\0" + key.encode()).hexdigest()
