"""Joining: a new user gets a name, a token, and the latest messages to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.chat.directory import hash_of
from chatter.protocol import names
from chatter.protocol.errors import NameTaken

if TYPE_CHECKING:
    from random import Random

    from chatter.chat.directory import Directory
    from chatter.chat.presence import Presence
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import User


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

    async def connect(self, name: str | None) -> tuple[User, str]:
        """Add a user with a token; without a name, with one that nobody has.

        :raises InvalidRequest: if no user can have that name.
        :raises NameTaken: if somebody has it.
        :raises StoreUnavailable: if the store can't serve.
        """
        token = f"{self._random.getrandbits(256):064x}"
        token_hash = hash_of(token)
        while True:
            try:
                wanted = names.suggest(self._random) if name is None else name
                user = await self._add_user(wanted, token_hash)
            except NameTaken:
                if name is not None:
                    raise
            else:
                return user, token

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
