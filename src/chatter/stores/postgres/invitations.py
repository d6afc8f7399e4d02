"""The invitations in a PostgreSQL database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import implementer

from chatter.log.invitations import IInvitations
from chatter.protocol import names
from chatter.protocol.errors import (
    InvitationExpired,
    InvitationNeeded,
    InvitationUsed,
    NameTaken,
)
from chatter.protocol.model import User
from chatter.stores.postgres.session import Query, query
from chatter.stores.postgres.write_batch import Step, without_entries

if TYPE_CHECKING:
    from datetime import datetime

    from chatter.protocol.errors import ChatError
    from chatter.stores.postgres.session import Row
    from chatter.stores.postgres.writing import Writer

ADD_INVITATION = b"SELECT add_invitation(decode($1, 'hex'), $2, $3)"

JOIN_INVITED = b"""
    SELECT user_id, refused
    FROM join_invited(decode($1, 'hex'), $2, $3, decode($4, 'hex'), $5, $6)
"""


@implementer(IInvitations)
class PostgresInvitations:
    """Invitations in a PostgreSQL database."""

    def __init__(self, writes: Writer) -> None:
        self._writes = writes

    async def add(self, invitation_hash: bytes, uses: int, expires_at: datetime | None) -> None:
        """Add an invitation that so many can join with."""
        expires = None if expires_at is None else expires_at.isoformat().encode()
        parameters = (invitation_hash.hex().encode(), str(uses).encode(), expires)
        await self._writes.submit(Step(Query(ADD_INVITATION, parameters), without_entries))

    async def join(
        self, invitation_hash: bytes, name: str, token_hash: bytes, cursor: int, now: datetime
    ) -> User:
        """Add a user, and count one use of the invitation."""
        wanted = query(
            JOIN_INVITED,
            invitation_hash.hex(),
            name,
            names.fold(name),
            token_hash.hex(),
            cursor,
            now.isoformat(),
        )
        row: Row = await self._writes.submit(Step(wanted, without_entries))
        user_id, refused = row
        if user_id is None:
            assert refused is not None
            raise _rejection(refused)
        return User(int(user_id), name, now)


def _rejection(why: bytes) -> ChatError:
    if why == b"expired":
        return InvitationExpired()
    if why == b"used":
        return InvitationUsed()
    if why == b"unknown":
        return InvitationNeeded("There is no such invitation.")
    return NameTaken("Somebody has that name.")
