"""What every store promises of moderation, as tests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from chatter.log.entries import (
    AddressBan,
    ChangeDraft,
    Entry,
    ReportDraft,
    StandingChange,
    StandingDraft,
)
from chatter.protocol.errors import UnknownRecipient
from chatter.protocol.model import FOREVER, Draft, Standing
from chatter.protocol.moderation import BannedAddress, OwnReport
from chatter.protocol.scalars import OPERATOR_ID
from chatter.testing.opened_store import OpenedStore
from chatter.testing.waiting import NOW, all_of, join, must_raise, outcomes_of

if TYPE_CHECKING:
    from datetime import datetime

    from chatter.protocol.model import Message, Role, User

EARLIER = NOW - timedelta(hours=1)
LATER = NOW + timedelta(hours=1, microseconds=1)


def _role(user: User, role: Role = "moderator") -> StandingDraft:
    return StandingDraft(user.id, "role", role, None, OPERATOR_ID, NOW)


def _mute(user: User, until: datetime | None = LATER, by_id: int = OPERATOR_ID) -> StandingDraft:
    return StandingDraft(user.id, "mute", "member", until, by_id, NOW)


def _ban(user: User, until: datetime | None = LATER, by_id: int = OPERATOR_ID) -> StandingDraft:
    return StandingDraft(user.id, "ban", "member", until, by_id, NOW)


def _report(message: Message, reporter: User, at: datetime = NOW) -> ReportDraft:
    return ReportDraft(message.id, message.sender_id, reporter.id, "spam", at)


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
    """Rows are the truth, and an entry says to every node: look at this again."""

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

    async def test_reports_are_kept_newest_first(self) -> None:
        """Each with its message as it is now; one that is gone takes its reports along."""
        async with self.opened() as store:
            alice, bob, carol = await join(store, "alice", "bob", "carol")
            moderation: Any = store.moderation
            said = [await store.append(Draft(alice.id, None, text, NOW)) for text in "ab"]
            secret = await store.append(Draft(alice.id, bob.id, "psst", NOW))
            assert await moderation.reports(None, 10) == []
            for message, user in ((said[0], bob), (secret, bob), (said[0], carol), (said[1], bob)):
                await moderation.report(_report(message, user), EARLIER)
            found = await moderation.reports(None, 10)
            assert [(r.message, r.reporter_id) for r in found] == [
                (said[1], bob.id),
                (said[0], carol.id),
                (secret, bob.id),
                (said[0], bob.id),
            ]
            assert {(r.reason, r.at) for r in found} == {("spam", NOW)}
            assert await moderation.reports(None, 2) == found[:2]
            assert await moderation.reports(found[1].id, 10) == found[2:]
            _, edited = await store.change(ChangeDraft(said[1].id, "new", alice.id, LATER))
            assert (await moderation.reports(None, 1))[0].message == edited
            await store.change(ChangeDraft(said[0].id, None, alice.id, LATER))
            assert [r.message for r in await moderation.reports(None, 10)] == [edited, secret]

    async def test_a_user_reads_the_own_reports(self) -> None:
        """By the message, some at a time; also of messages that are gone, and nobody else's."""
        async with self.opened() as store:
            alice, bob, carol = await join(store, "alice", "bob", "carol")
            moderation: Any = store.moderation
            said = [await store.append(Draft(alice.id, None, text, NOW)) for text in "abc"]
            for message, user in ((said[2], bob), (said[0], bob), (said[1], carol)):
                await moderation.report(_report(message, user), EARLIER)
            await store.change(ChangeDraft(said[0].id, None, alice.id, LATER))
            own = [OwnReport(message.id, "spam", NOW) for message in (said[0], said[2])]
            assert await moderation.reports_by(bob.id, 0, 10) == own
            assert await moderation.reports_by(bob.id, 0, 1) == own[:1]
            assert await moderation.reports_by(bob.id, said[0].id, 10) == own[1:]
            assert await moderation.reports_by(alice.id, 0, 10) == []

    async def test_what_is_reported_is_known(self) -> None:
        """By anybody; and nothing else is."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            moderation: Any = store.moderation
            one, two = [await store.append(Draft(alice.id, bob.id, "a", NOW)) for _ in range(2)]
            await moderation.report(_report(one, bob), EARLIER)
            assert await moderation.is_reported(one.id) is True
            assert await moderation.is_reported(two.id) is False

    async def test_reporters_of_a_user_are_counted(self) -> None:
        """Each other one once, however many messages they report, and only those after a time."""
        async with self.opened() as store:
            alice, bob, carol, dave = await join(store, "alice", "bob", "carol", "dave")
            moderation: Any = store.moderation
            said = [await store.append(Draft(alice.id, None, text, NOW)) for text in "ab"]
            other = await store.append(Draft(bob.id, None, "c", NOW))
            assert await moderation.report(_report(said[0], alice), EARLIER) == 0
            assert await moderation.report(_report(said[0], bob), EARLIER) == 1
            assert await moderation.report(_report(said[0], bob), EARLIER) == 1
            assert await moderation.report(_report(said[1], bob), EARLIER) == 1
            assert await moderation.report(_report(other, carol), EARLIER) == 1
            assert await moderation.report(_report(said[1], carol), EARLIER) == 2
            assert await moderation.report(_report(said[1], dave, LATER), NOW) == 1
            assert len(await moderation.reports(None, 10)) == 6
            await moderation.dismiss_reports(alice.id)
            assert [r.message for r in await moderation.reports(None, 10)] == [other]
            assert await moderation.report(_report(said[0], bob), EARLIER) == 1

    async def test_reports_of_who_leaves_are_forgotten(self) -> None:
        """Those that the user has made, and those of what the user has said."""
        async with self.opened() as store:
            alice, bob, carol = await join(store, "alice", "bob", "carol")
            moderation: Any = store.moderation
            said = {
                u.id: await store.append(Draft(u.id, None, "a", NOW)) for u in (alice, bob, carol)
            }
            for author, reporter in ((alice, bob), (bob, carol), (carol, bob), (alice, carol)):
                await moderation.report(_report(said[author.id], reporter), EARLIER)
            await moderation.forget_reports(bob.id)
            (left,) = await moderation.reports(None, 10)
            assert (left.message, left.reporter_id) == (said[alice.id], carol.id)

    async def test_a_banned_network_is_kept_with_its_entry(self) -> None:
        """The listener hears of it, and no user reads it; one that is over is forgotten."""
        told: list[Entry] = []
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            moderation: Any = store.moderation
            store.listener = told.extend
            one = await moderation.ban_address("10.0.0.0/8", LATER, NOW)
            two = await moderation.ban_address("2001:db8::/64", FOREVER, NOW)
            assert told == [one, two]
            assert one == AddressBan(one.id, "10.0.0.0/8", LATER, NOW)
            assert await moderation.banned_addresses() == [
                BannedAddress("10.0.0.0/8", LATER),
                BannedAddress("2001:db8::/64", FOREVER),
            ]
            assert await store.read_feed(alice.id, 0, 10) == []
            await moderation.ban_address("192.0.2.1/32", FOREVER, LATER)
            ended = await moderation.ban_address("192.0.2.1/32", None, LATER)
            assert ended.until is None
            assert await moderation.banned_addresses() == [BannedAddress("2001:db8::/64", FOREVER)]
            message = await store.append(Draft(alice.id, None, "a", NOW))
            assert message.id == ended.id + 1
