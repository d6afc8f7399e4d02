"""What every store promises of the standing of users, as tests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from chatter.log.entries import Entry, StandingChange, StandingDraft
from chatter.protocol.errors import UnknownRecipient
from chatter.protocol.model import FOREVER, OPERATOR_ID, Draft, Standing
from chatter.testing.opened_store import OpenedStore
from chatter.testing.waiting import NOW, all_of, join, must_raise, outcomes_of

if TYPE_CHECKING:
    from datetime import datetime

    from chatter.protocol.model import Role, User

LATER = NOW + timedelta(hours=1, microseconds=1)


def _role(user: User, role: Role = "moderator") -> StandingDraft:
    return StandingDraft(user.id, "role", role, None, OPERATOR_ID, NOW)


def _mute(user: User, until: datetime | None = LATER, by_id: int = OPERATOR_ID) -> StandingDraft:
    return StandingDraft(user.id, "mute", "member", until, by_id, NOW)


def _ban(user: User, until: datetime | None = LATER, by_id: int = OPERATOR_ID) -> StandingDraft:
    return StandingDraft(user.id, "ban", "member", until, by_id, NOW)


def _entry(entry_id: int, by_id: int, standing: Standing) -> StandingChange:
    return StandingChange(
        entry_id,
        by_id,
        standing.user_id,
        standing.role,
        standing.muted_until,
        standing.banned_until,
        NOW,
    )


class ModerationContract(OpenedStore):
    """The user is the truth, and an entry says to every node: look at this user again."""

    async def test_a_standing_is_kept_with_its_entry(self) -> None:
        """Each part of it changes by itself; only the moderator and the user read the entry."""
        async with self.opened() as store:
            alice, bob, carol = await join(store, "alice", "bob", "carol")
            moderation: Any = store.moderation
            message = await store.append(Draft(alice.id, None, "a", NOW))
            muted = await moderation.set_standing(_mute(bob, by_id=alice.id))
            assert muted == _entry(message.id + 1, alice.id, Standing(bob.id, "member", LATER))
            assert await store.last_id() == muted.id
            assert await store.read_feed(alice.id, 0, 10) == [message, muted]
            assert await store.read_feed(bob.id, 0, 10) == [message, muted]
            assert await store.read_feed(carol.id, 0, 10) == [message]
            banned = await moderation.set_standing(_ban(bob, FOREVER))
            now = Standing(bob.id, "member", LATER, FOREVER)
            assert banned == _entry(muted.id + 1, OPERATOR_ID, now)
            assert await store.read_feed(bob.id, muted.id, 10) == [banned]
            assert await store.read_feed(alice.id, muted.id, 10) == []
            after = await store.append(Draft(alice.id, None, "b", NOW))
            assert after.id > banned.id

    async def test_those_with_a_standing_are_listed(self) -> None:
        """By id, also when they have none any more; nobody else is."""
        async with self.opened() as store:
            alice, bob, carol, _ = await join(store, "alice", "bob", "carol", "dave")
            moderation: Any = store.moderation
            assert await moderation.standings() == []
            await moderation.set_standing(_ban(carol))
            await moderation.set_standing(_mute(bob))
            await moderation.set_standing(_role(alice))
            await moderation.set_standing(_mute(alice, FOREVER))
            assert await moderation.standings() == [
                Standing(alice.id, "moderator", FOREVER),
                Standing(bob.id, "member", LATER),
                Standing(carol.id, "member", None, LATER),
            ]
            await moderation.set_standing(_mute(alice, None))
            await moderation.set_standing(_role(alice, "member"))
            left = {standing.user_id: standing for standing in await moderation.standings()}
            assert left.get(alice.id, Standing(alice.id)) == Standing(alice.id)

    async def test_nobody_has_the_standing_of_no_user(self) -> None:
        """It is refused, and what is written at the same time is written."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            moderation: Any = store.moderation
            nobody = StandingDraft(bob.id + 1000, "ban", "member", LATER, OPERATOR_ID, NOW)
            await must_raise(UnknownRecipient, moderation.set_standing(nobody))
            refused, banned, message = await outcomes_of(
                (
                    moderation.set_standing(nobody),
                    moderation.set_standing(_ban(bob)),
                    store.append(Draft(alice.id, None, "a", NOW)),
                )
            )
            assert isinstance(refused, UnknownRecipient)
            assert await store.read_feed(bob.id, 0, 10) == sorted(
                [banned, message], key=lambda entry: entry.id
            )

    async def test_the_listener_hears_of_standings_in_order(self) -> None:
        """With the messages, in the order of their ids, before they fire."""
        told: list[Entry] = []
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            moderation: Any = store.moderation
            store.listener = told.extend
            made = await all_of(
                moderation.set_standing(_mute(bob, by_id=alice.id))
                if number % 2
                else store.append(Draft(alice.id, None, f"{number}", NOW))
                for number in range(10)
            )
            assert told == sorted(made, key=lambda entry: entry.id)
            assert told == await store.read_feed(alice.id, 0, 100)

    async def test_a_standing_is_no_message(self) -> None:
        """It is in no history and in no list of chats."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            moderation: Any = store.moderation
            entry = await moderation.set_standing(_mute(bob, by_id=alice.id))
            assert await store.read_message(entry.id) is None
            assert await store.read_private(bob.id, alice.id, None, 10) == []
            assert await store.read_general(None, 10) == []
            (general,) = await store.chats(bob.id, 0, None, 10)
            assert (general.last, general.unread) == (None, 0)
