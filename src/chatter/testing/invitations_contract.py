"""What every store promises of invitations, as tests."""

from __future__ import annotations

from datetime import timedelta

from chatter.protocol.errors import (
    InvitationExpired,
    InvitationNeeded,
    InvitationUsed,
    NameTaken,
)
from chatter.protocol.model import User
from chatter.testing.opened_store import OpenedStore
from chatter.testing.waiting import NOW, must_raise, outcomes_of

_HASH = b"i" * 32


class InvitationsContract(OpenedStore):
    """So many join with an invitation as may, and as long as it lasts."""

    async def test_one_joins_with_an_invitation(self) -> None:
        """As one does without, and with the token."""
        async with self.opened() as store:
            await store.invitations.add(_HASH, 1, None)
            alice = await store.invitations.join(_HASH, "Alice", b"a" * 32, 7, NOW)
            assert alice == User(alice.id, "Alice", NOW)
            assert await store.user_by_name("alice") == alice
            assert await store.cursor(alice.id) == 7
            found = await store.tokens.find(b"a" * 32)
            assert found is not None
            assert found[1] == alice

    async def test_an_invitation_is_used_up(self) -> None:
        """Also by many at once; whoever could not join is not there."""
        async with self.opened() as store:
            await store.invitations.add(_HASH, 3, None)
            outcomes = await outcomes_of(
                store.invitations.join(_HASH, f"user {n}", b"%d" % n * 32, 0, NOW) for n in range(5)
            )
            joined = [user for user in outcomes if isinstance(user, User)]
            assert [type(outcome) for outcome in outcomes].count(InvitationUsed) == 2
            assert await store.users(0, 10) == joined
            await must_raise(
                InvitationUsed, store.invitations.join(_HASH, "eve", b"e" * 32, 0, NOW)
            )

    async def test_a_name_that_is_taken_uses_nothing_up(self) -> None:
        """Nor does a token that somebody has."""
        async with self.opened() as store:
            await store.add_user("alice", b"a" * 32, 0, NOW)
            await store.invitations.add(_HASH, 1, None)
            await must_raise(NameTaken, store.invitations.join(_HASH, "ALICE", b"b" * 32, 0, NOW))
            await must_raise(NameTaken, store.invitations.join(_HASH, "bob", b"a" * 32, 0, NOW))
            assert (await store.invitations.join(_HASH, "bob", b"b" * 32, 0, NOW)).name == "bob"

    async def test_an_invitation_expires(self) -> None:
        """At its time, and not before."""
        later = NOW + timedelta(hours=1)
        async with self.opened() as store:
            await store.invitations.add(_HASH, 9, later)
            before = later - timedelta(microseconds=1)
            await store.invitations.join(_HASH, "alice", b"a" * 32, 0, before)
            await must_raise(
                InvitationExpired, store.invitations.join(_HASH, "bob", b"b" * 32, 0, later)
            )
            assert await store.user_by_name("bob") is None

    async def test_there_is_no_such_invitation(self) -> None:
        """Nobody joins with it, and others do at the same time."""
        async with self.opened() as store:
            await store.invitations.add(_HASH, 1, None)
            refused, joined = await outcomes_of(
                (
                    store.invitations.join(b"x" * 32, "alice", b"a" * 32, 0, NOW),
                    store.invitations.join(_HASH, "bob", b"b" * 32, 0, NOW),
                )
            )
            assert isinstance(refused, InvitationNeeded)
            assert await store.users(0, 10) == [joined]
