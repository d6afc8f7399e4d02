"""The invitations of a store in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from zope.interface import implementer

from chatter.log.invitations import IInvitations
from chatter.protocol.errors import InvitationExpired, InvitationNeeded, InvitationUsed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from chatter.protocol.model import User


class AddUser(Protocol):
    """Adds a user."""

    def __call__(
        self, name: str, token_hash: bytes | None, cursor: int, now: datetime
    ) -> Awaitable[User]:
        """Add a user, at once."""


@implementer(IInvitations)
class MemoryInvitations:
    """Invitations in memory.

    :param check: raises unless the store is open.
    :param add_user: the store's.
    """

    def __init__(self, check: Callable[[], Awaitable[None]], add_user: AddUser) -> None:
        self._check = check
        self._add_user = add_user
        self._invitations: dict[bytes, tuple[int, datetime | None]] = {}

    async def add(self, invitation_hash: bytes, uses: int, expires_at: datetime | None) -> None:
        """Add an invitation that so many can join with."""
        await self._check()
        self._invitations[invitation_hash] = (uses, expires_at)

    async def join(
        self, invitation_hash: bytes, name: str, token_hash: bytes, cursor: int, now: datetime
    ) -> User:
        """Add a user, and count one use of the invitation."""
        await self._check()
        if invitation_hash not in self._invitations:
            raise InvitationNeeded("There is no such invitation.")
        uses, expires_at = self._invitations[invitation_hash]
        if expires_at is not None and expires_at <= now:
            raise InvitationExpired
        if not uses:
            raise InvitationUsed
        user = await self._add_user(name, token_hash, cursor, now)
        self._invitations[invitation_hash] = (uses - 1, expires_at)
        return user
