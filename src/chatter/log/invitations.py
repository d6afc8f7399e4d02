"""What a store promises of invitations, with which people join a chat that is not open.

A store keeps no invitation, only its SHA-256.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from datetime import datetime

    from chatter.protocol.model import User


class IInvitations(Interface):
    """The invitations of a chat."""

    def add(invitation_hash: bytes, uses: int, expires_at: datetime | None) -> Awaitable[None]:
        """Add an invitation that so many can join with; fires once that is durable.

        :param expires_at: from then on nobody can; ``None`` for never.
        :raises StoreUnavailable: if the store can't serve.
        """

    def join(
        invitation_hash: bytes, name: str, token_hash: bytes, cursor: int, now: datetime
    ) -> Awaitable[User]:
        """Add a user, as ``add_user`` does, and count one use of the invitation: both or neither.

        :raises InvitationNeeded: if there is no such invitation.
        :raises InvitationExpired: if it has expired.
        :raises InvitationUsed: if as many have joined with it as may.
        :raises NameTaken: if somebody has the name or the token; nothing is counted.
        :raises StoreUnavailable: if the store can't serve.
        """
