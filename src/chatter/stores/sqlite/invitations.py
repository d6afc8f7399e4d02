"""The invitations in a SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import implementer

from chatter.log.invitations import IInvitations
from chatter.protocol.errors import InvitationExpired, InvitationNeeded, InvitationUsed
from chatter.stores.sqlite.times import microseconds
from chatter.stores.sqlite.tokens import insert_user

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from chatter.protocol.model import User
    from chatter.stores.sqlite.writing import Writer

ADD_INVITATION = "INSERT INTO invitations (hash, uses_left, expires_at) VALUES (?, ?, ?)"

FIND_INVITATION = "SELECT uses_left, expires_at FROM invitations WHERE hash = ?"

USE_INVITATION = "UPDATE invitations SET uses_left = uses_left - 1 WHERE hash = ?"


@implementer(IInvitations)
class SQLiteInvitations:
    """Invitations in a SQLite file."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def add(self, invitation_hash: bytes, uses: int, expires_at: datetime | None) -> None:
        """Add an invitation that so many can join with."""
        expires = None if expires_at is None else microseconds(expires_at)
        await self._writer.submit(
            lambda connection: _add(connection, (invitation_hash, uses, expires))
        )

    async def join(
        self, invitation_hash: bytes, name: str, token_hash: bytes, cursor: int, now: datetime
    ) -> User:
        """Add a user, and count one use of the invitation."""
        user: User = await self._writer.submit(
            lambda connection: _join(connection, invitation_hash, name, token_hash, cursor, now)
        )
        return user


def _add(connection: sqlite3.Connection, values: tuple[bytes, int, int | None]) -> None:
    connection.execute(ADD_INVITATION, values)


def _join(
    connection: sqlite3.Connection,
    invitation_hash: bytes,
    name: str,
    token_hash: bytes,
    cursor: int,
    now: datetime,
) -> User:
    found = connection.execute(FIND_INVITATION, (invitation_hash,)).fetchone()
    if found is None:
        raise InvitationNeeded("There is no such invitation.")
    uses_left, expires_at = found
    if expires_at is not None and expires_at <= microseconds(now):
        raise InvitationExpired
    if not uses_left:
        raise InvitationUsed
    user = insert_user(connection, name, token_hash, cursor, now)
    connection.execute(USE_INVITATION, (invitation_hash,))
    return user
