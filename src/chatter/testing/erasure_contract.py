"""What every store promises of users who leave for good, as tests."""

from __future__ import annotations

from chatter.log.entries import ChangeDraft, Entry, StandingDraft, UserErased
from chatter.protocol import names
from chatter.protocol.errors import NameTaken, UnknownRecipient
from chatter.protocol.model import FOREVER, Draft, ReadMark
from chatter.protocol.scalars import OPERATOR_ID
from chatter.testing.opened_store import OpenedStore
from chatter.testing.waiting import NOW, join, must_raise


class ErasureContract(OpenedStore):
    """Nobody has the name or the id of a user who has left."""

    async def test_an_erased_user_has_nothing_left(self) -> None:
        """No token and no name; the id stays the user's."""
        async with self.opened() as store:
            alice = await store.add_user("Älice", b"a" * 32, 0, NOW)
            (bob,) = await join(store, "bob")
            told: list[Entry] = []
            store.listener = told.extend
            entry = await store.erasure.begin(alice.id, NOW)
            assert entry == UserErased(1, alice.id, NOW)
            assert told == [entry]
            assert await store.read_feed(bob.id, 0, 10) == [entry]
            assert await store.tokens.find(b"a" * 32) is None
            assert await store.tokens.of_user(alice.id) == []
            found = await store.user_by_id(alice.id)
            assert found is not None
            assert found.name == names.erased(alice.id)
            assert await store.user_by_name("älice") is None
            assert await store.users_by_prefix("ä", 10) == []
            for name in ("Älice", "älice", "ÄLICE"):
                await must_raise(NameTaken, store.add_user(name, None, 0, NOW))
            await must_raise(NameTaken, store.add_user(names.erased(alice.id), None, 0, NOW))
            (carol,) = await join(store, "carol")
            assert carol.id > bob.id
            assert await store.count_users() == len([bob, carol])

    async def test_a_user_is_erased_once(self) -> None:
        """Nobody else is; and it is under way until it is finished."""
        async with self.opened() as store:
            (alice, bob) = await join(store, "alice", "bob")
            assert await store.erasure.under_way() == []
            assert await store.erasure.begin(alice.id, NOW) is not None
            assert await store.erasure.begin(alice.id, NOW) is None
            assert await store.erasure.begin(alice.id + 1000, NOW) is None
            assert await store.erasure.under_way() == [alice.id]
            await store.erasure.finish(alice.id)
            assert await store.erasure.under_way() == []
            assert await store.erasure.begin(alice.id, NOW) is None
            assert await store.user_by_name("bob") == bob
            assert await store.last_id() == 1

    async def test_who_has_left_has_no_standing(self) -> None:
        """Neither a role nor anything that was forbidden, and gets none."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            for draft in (
                StandingDraft(alice.id, "role", "moderator", None, OPERATOR_ID, NOW),
                StandingDraft(alice.id, "ban", "member", FOREVER, OPERATOR_ID, NOW),
            ):
                await store.moderation.set_standing(draft)
            assert len(await store.moderation.standings()) == 1
            await store.erasure.begin(alice.id, NOW)
            assert await store.moderation.standings() == []
            late = StandingDraft(alice.id, "role", "moderator", None, OPERATOR_ID, NOW)
            await must_raise(UnknownRecipient, store.moderation.set_standing(late))
            await store.erasure.finish(alice.id)
            await must_raise(UnknownRecipient, store.moderation.set_standing(late))
            assert await store.moderation.standings() == []

    async def test_who_has_left_gets_no_token(self) -> None:
        """Neither does who never was there; others do, and nobody has the token then."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            await store.erasure.begin(alice.id, NOW)
            for user_id in (alice.id, bob.id + 1000):
                await must_raise(UnknownRecipient, store.tokens.add(user_id, b"a" * 32, "", NOW))
            await store.erasure.finish(alice.id)
            await must_raise(UnknownRecipient, store.tokens.add(alice.id, b"a" * 32, "", NOW))
            assert await store.tokens.find(b"a" * 32) is None
            assert (await store.tokens.add(bob.id, b"a" * 32, "", NOW)).user_id == bob.id

    async def test_an_invitation_gives_no_name_of_somebody_who_has_left(self) -> None:
        """Nobody joins with it, and it is not used up."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            await store.erasure.begin(alice.id, NOW)
            await store.invitations.add(b"i" * 32, 1, None)
            await must_raise(
                NameTaken, store.invitations.join(b"i" * 32, "Alice", b"b" * 32, 0, NOW)
            )
            assert (await store.invitations.join(b"i" * 32, "b", b"b" * 32, 0, NOW)).name == "b"

    async def test_a_users_own_messages_are_read(self) -> None:
        """Those that the user has sent, and private ones to the user; no others."""
        async with self.opened() as store:
            alice, bob, eve = await join(store, "alice", "bob", "eve")
            sent = [
                await store.append(Draft(sender_id, recipient_id, text, NOW))
                for sender_id, recipient_id, text in (
                    (alice.id, None, "one"),
                    (bob.id, None, "two"),
                    (alice.id, bob.id, "three"),
                    (bob.id, alice.id, "four"),
                    (bob.id, eve.id, "five"),
                    (alice.id, None, "six"),
                )
            ]
            await store.change(ChangeDraft(sent[5].id, None, alice.id, NOW))
            own = [sent[0], sent[2], sent[3]]
            assert await store.erasure.read_own(alice.id, 0, 10) == own
            assert await store.erasure.read_own(alice.id, 1, 3) == own[1:2]
            assert await store.erasure.read_own(alice.id, 7, 10) == []

    async def test_a_users_read_marks_are_read_until_the_user_has_left(self) -> None:
        """The general chat first, then by the other user, some at a time; nobody else's."""
        async with self.opened() as store:
            alice, bob, eve = await join(store, "alice", "bob", "eve")
            for other in (eve, bob):
                await store.append(Draft(other.id, alice.id, "a", NOW))
            await store.mark_read(alice.id, eve.id, 1)
            await store.mark_read(alice.id, None, 2)
            await store.mark_read(bob.id, alice.id, 2)
            general, private = ReadMark(None, 2), ReadMark(eve.id, 1)
            read_marks = store.erasure.read_marks
            assert await read_marks(alice.id, -1, 10) == [general, private]
            assert await read_marks(alice.id, -1, 1) == [general]
            assert await read_marks(alice.id, 0, 10) == [private]
            assert await read_marks(alice.id, eve.id, 10) == []
            await store.erasure.begin(alice.id, NOW)
            await store.erasure.finish(alice.id)
            assert await read_marks(alice.id, -1, 10) == []
            assert await read_marks(bob.id, -1, 10) == [ReadMark(alice.id, 2)]
