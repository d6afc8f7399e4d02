"""Joining: a new user gets a name, a token, and the latest messages to read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from chatter.chat.users.tokens import hash_of, secret_of
from chatter.protocol import names
from chatter.protocol.errors import (
    InvitationExpired,
    InvitationNeeded,
    InvitationUsed,
    JoiningClosed,
    KeyUsed,
    NameTaken,
)

if TYPE_CHECKING:
    from random import Random

    from chatter.chat.users.directory import Directory
    from chatter.chat.users.presence import Presence
    from chatter.chat.users.tokens import Tokens
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import User
    from chatter.protocol.scalars import JoinPolicy


KEY_LIFETIME = timedelta(minutes=10)
"""For so long joining can be repeated with the same key."""


class Joining:
    """Adds users to a chat.

    :param history: how many messages of the general chat are unread for a new user.
    :param random: where the names of guests come from.
    :param policy: who can join.

    :ivar policy: the same.
    """

    def __init__(
        self,
        store: IChatStore,
        presence: Presence,
        directory: Directory,
        tokens: Tokens,
        history: int,
        random: Random,
        policy: JoinPolicy,
    ) -> None:
        self._store = store
        self._presence = presence
        self._directory = directory
        self._tokens = tokens
        self._history = history
        self._random = random
        self.policy = policy

    async def connect(
        self, name: str | None, key: str | None = None, invitation: str | None = None
    ) -> tuple[User, str]:
        """Add a user with a token; without a name, with one that nobody has.

        :param key: a retry with the same key, and the same name or none, gets the same
            user and token again for :data:`KEY_LIFETIME`.  The token is made from it, so
            that nothing has to be remembered, and it is as secret as the token.
        :param invitation: with which somebody joins a chat that is not open.
        :raises JoiningClosed: if nobody can join.
        :raises InvitationNeeded: if there is no such invitation, and one is needed.
        :raises InvitationExpired: if it has expired.
        :raises InvitationUsed: if it was used up.
        :raises InvalidRequest: if no user can have that name, or the key can't be used.
        :raises NameTaken: if somebody has the name.
        :raises KeyUsed: if the key was used for another name, or too long ago.
        :raises StoreUnavailable: if the store can't serve.
        """
        token = self._tokens.new_secret() if key is None else secret_of(key)
        token_hash = hash_of(token)
        while True:
            if key is not None:
                user = await self._joined_before(name, token_hash)
                if user is not None:
                    return user, token
            try:
                wanted = names.suggest(self._random) if name is None else name
                user = await self._add_guest(wanted, token_hash, invitation)
            except (NameTaken, InvitationUsed, InvitationExpired) as error:
                # It may be the same request that was faster, sent at the same time.
                is_by_chance = name is None and isinstance(error, NameTaken)
                if not is_by_chance and not await self._is_used(key, token_hash):
                    raise
            else:
                return user, token

    async def _joined_before(self, name: str | None, token_hash: bytes) -> User | None:
        """The user who has joined with a key; ``None`` if nobody has.

        :raises KeyUsed: if it was for another name, or too long ago.
        """
        found = await self._store.tokens.find(token_hash)
        if found is None:
            return None
        token, user = found
        since = self._presence.now() - KEY_LIFETIME
        if token.created_at is None or token.created_at < since:
            raise KeyUsed("Somebody has joined with this Idempotency-Key a while ago.")
        if name is not None and names.fold(name) != names.fold(user.name):
            raise KeyUsed("Somebody has joined with this Idempotency-Key, with another name.")
        return user

    async def _is_used(self, key: str | None, token_hash: bytes) -> bool:
        """Whether somebody has joined with a key, perhaps in this very moment."""
        return key is not None and await self._store.tokens.find(token_hash) is not None

    async def join(self, name: str) -> User:
        """The user with that name, who is added without a token if there is none.

        :raises NameTaken: if a user with that name has left for good.
        :raises InvalidRequest: if no user can have that name.
        :raises StoreUnavailable: if the store can't serve.
        """
        user = await self._directory.by_name(name)
        if user is not None:
            return user
        try:
            return await self._add_user(name, None)
        except NameTaken:
            # By somebody who joined meanwhile, or who has left for good.
            user = await self._directory.by_name(name)
            if user is None:
                raise
            return user

    async def invite(self, uses: int, seconds: float | None) -> str:
        """Make an invitation that so many can join with.

        :param seconds: for so long; ``None`` for ever.
        :raises StoreUnavailable: if the store can't serve.
        """
        invitation = self._tokens.new_secret()[:32]
        now = self._presence.now()
        expires_at = None if seconds is None else now + timedelta(seconds=seconds)
        await self._store.invitations.add(hash_of(invitation), uses, expires_at)
        return invitation

    async def _add_guest(self, name: str, token_hash: bytes, invitation: str | None) -> User:
        if self.policy == "open":
            return await self._add_user(name, token_hash)
        if self.policy == "closed":
            raise JoiningClosed
        if invitation is None:
            raise InvitationNeeded
        names.check(name)
        now, cursor = self._presence.now(), await self._first_cursor()
        invitation_hash = hash_of(invitation)
        return await self._store.invitations.join(invitation_hash, name, token_hash, cursor, now)

    async def _add_user(self, name: str, token_hash: bytes | None) -> User:
        names.check(name)
        cursor = await self._first_cursor()
        return await self._store.add_user(name, token_hash, cursor, self._presence.now())

    async def _first_cursor(self) -> int:
        """Where a new user begins to read."""
        newest = await self._store.read_general(None, self._history + 1)
        cursor = newest[0].id if len(newest) > self._history else 0
        # To somebody new no message is missing.
        return max(cursor, self._store.kept_after)
