"""What a store promises besides whose data survives a restart, as tests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chatter.log.entries import ChangeDraft, Entry, StandingDraft
from chatter.log.lineage import Lineage, new_epoch
from chatter.protocol.errors import Gone, InvitationUsed, NameTaken
from chatter.protocol.model import FOREVER, ChatSummary, Draft, User
from chatter.protocol.scalars import OPERATOR_ID
from chatter.testing.store_contract import StoreContract
from chatter.testing.waiting import NOW, all_of, begun, finished, join, must_raise


class DurableStoreContract(StoreContract):
    """What every store promises, and one whose data survives a restart.

    What :meth:`make_store` makes is, each time, a store on the same data.
    """

    async def test_everything_survives_a_restart(self) -> None:
        """Messages, users, tokens, keys and cursors are there again; ids go on."""
        later = NOW + timedelta(minutes=1)
        async with self.opened() as store:
            alice = await store.add_user("alice", b"a" * 32, 0, NOW)
            draft = Draft(alice.id, None, "a", NOW, "key")
            message = await store.append(draft)
            store.save_progress(alice.id, message.id, later)
        async with self.opened() as store:
            assert await store.last_id() == message.id
            assert await store.cursor(alice.id) == message.id
            found = await store.tokens.find(b"a" * 32)
            assert found is not None
            assert found[1] == User(alice.id, "alice", later)
            assert await store.append(draft) == message
            await must_raise(NameTaken, store.add_user("ALICE", None, 0, NOW))
            new = await store.append(Draft(alice.id, None, "b", NOW))
            assert new.id > message.id
            assert await store.read_feed(alice.id, 0, 10) == [message, new]

    async def test_standings_survive_a_restart(self) -> None:
        """What users may do, and the entries that say so."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            moderation: Any = store.moderation
            role = StandingDraft(alice.id, "role", "moderator", None, OPERATOR_ID, NOW)
            await moderation.set_standing(role)
            ban = StandingDraft(bob.id, "ban", "member", FOREVER, alice.id, NOW)
            entry = await moderation.set_standing(ban)
            before = await moderation.standings()
        async with self.opened() as store:
            moderation = store.moderation
            assert await store.last_id() == entry.id
            assert await moderation.standings() == before
            assert await store.read_feed(bob.id, 0, 10) == [entry]

    async def test_tokens_survive_a_restart(self) -> None:
        """With all that is known of them; what was revoked is not there again."""
        async with self.opened() as store:
            alice = await store.add_user("alice", b"a" * 32, 0, NOW)
            await store.tokens.add(alice.id, b"b" * 32, "phone", NOW)
            third = await store.tokens.add(alice.id, b"c" * 32, "", NOW)
            await store.tokens.save_uses([(third.id, NOW + timedelta(minutes=1))])
            (first, *_) = before = await store.tokens.of_user(alice.id)
            await store.tokens.revoke(alice.id, first.id)
        async with self.opened() as store:
            assert await store.tokens.of_user(alice.id) == before[1:]
            assert await store.tokens.find(b"a" * 32) is None

    async def test_erasures_survive_a_restart(self) -> None:
        """One that is under way is so still; the name stays taken, and no id is given again."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            entry = await store.erasure.begin(alice.id, NOW)
        async with self.opened() as store:
            assert await store.erasure.under_way() == [alice.id]
            assert await store.read_feed(alice.id, 0, 10) == [entry]
            await must_raise(NameTaken, store.add_user("ALICE", None, 0, NOW))
            (bob,) = await join(store, "bob")
            assert bob.id > alice.id

    async def test_invitations_survive_a_restart(self) -> None:
        """With how many can still join."""
        async with self.opened() as store:
            await store.invitations.add(b"i" * 32, 2, NOW + timedelta(minutes=1))
            await store.invitations.join(b"i" * 32, "alice", b"a" * 32, 0, NOW)
        async with self.opened() as store:
            await store.invitations.join(b"i" * 32, "bob", b"b" * 32, 0, NOW)
            await must_raise(
                InvitationUsed, store.invitations.join(b"i" * 32, "eve", b"e" * 32, 0, NOW)
            )

    async def test_changes_survive_a_restart(self) -> None:
        """An edit, a withdrawal and its key are there again; no id is given twice."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            kept = await store.append(Draft(alice.id, None, "a", NOW))
            draft = Draft(alice.id, None, "b", NOW, "key")
            newest = await store.append(draft)
            await store.change(ChangeDraft(kept.id, "c", alice.id, NOW))
            last_id, _ = await store.change(ChangeDraft(newest.id, None, alice.id, NOW))
            before = await store.read_feed(alice.id, 0, 10)
        async with self.opened() as store:
            assert await store.last_id() == last_id
            assert await store.read_feed(alice.id, 0, 10) == before
            await must_raise(Gone, store.append(draft))
            new = await store.append(Draft(alice.id, None, "d", NOW))
            assert new.id > before[-1].id
            change_id, _ = await store.change(ChangeDraft(kept.id, "e", alice.id, NOW))
            assert [entry.id for entry in await store.read_feed(alice.id, 0, 10)] == [
                kept.id,
                before[-1].id,
                new.id,
                change_id,
            ]

    async def test_what_is_no_longer_kept_does_not_come_again(self) -> None:
        """Not after a restart either, and no id is given twice, also when all are gone."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            messages = [await store.append(Draft(alice.id, None, "a", NOW)) for _ in range(3)]
            await store.trim(messages[0].id)
        async with self.opened() as store:
            assert store.kept_after == messages[0].id
            assert await store.read_feed(alice.id, 0, 10) == messages[1:]
            await store.trim(messages[2].id)
        for number in range(2):
            async with self.opened() as store:
                assert store.kept_after == messages[2].id
                assert await store.last_id() == messages[2].id + number
                new = await store.append(Draft(alice.id, None, "b", NOW))
                assert new.id == messages[2].id + number + 1

    async def test_chats_and_read_marks_survive_a_restart(self) -> None:
        """The list of chats is what it was."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            private = await store.append(Draft(bob.id, alice.id, "a", NOW))
            general = await store.append(Draft(bob.id, None, "b", NOW))
            await store.mark_read(alice.id, bob.id, private.id)
            before = await store.chats(alice.id, 0, None, 10)
        async with self.opened() as store:
            assert await store.chats(alice.id, 0, None, 10) == before
            assert before == [
                ChatSummary(None, general, 0, 1),
                ChatSummary(bob.id, private, private.id, 0),
            ]

    async def test_the_listener_is_told_of_the_new_only(self) -> None:
        """After a restart the listener does not get earlier entries again."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            draft = Draft(alice.id, None, "a", NOW, "key")
            await store.append(draft)
        store = self.make_store()
        told: list[Entry] = []
        store.listener = told.extend
        await finished(store.startService())
        await store.append(draft)
        new = await store.append(Draft(alice.id, None, "b", NOW))
        await finished(store.stopService())
        assert told == [new]

    async def test_a_cursor_stays_after_a_restart(self) -> None:
        """What comes late, and a sign of life, move nobody back from where they had read."""
        later = NOW + timedelta(minutes=1)
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            store.save_progress(alice.id, 9, later)
            store.save_progress(alice.id, 8, NOW)
        async with self.opened() as store:
            assert await store.users(0, 10) == [User(alice.id, "alice", later)]
            store.save_progress(alice.id, 0, later)
            assert await store.cursor(alice.id) == 9
        async with self.opened() as store:
            store.save_progress(alice.id, 7, NOW)
        async with self.opened() as store:
            assert await store.cursor(alice.id) == 9
            assert await store.users(0, 10) == [User(alice.id, "alice", later)]

    async def test_a_restart_loses_no_position(self) -> None:
        """Whatever epoch the next start begins, who has read up to an id has read up to it."""
        positions: list[tuple[str, int]] = []
        for _ in range(3):
            async with self.opened() as store:
                (user, *_) = await store.users(0, 1) or await join(store, "alice")
                for epoch, position in positions:
                    assert store.lineage.shared(epoch, position) == position
                message = await store.append(Draft(user.id, None, "a", NOW))
                positions.append((store.lineage.current, message.id))
            async with self.opened() as store:
                # One in which nothing happens.
                positions.append((store.lineage.current, message.id))

    async def test_another_log_is_noticed(self) -> None:
        """Of a log with another history nothing was read."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            message = await store.append(Draft(alice.id, None, "a", NOW))
            stranger = Lineage([new_epoch(0)])
            assert store.lineage.shared(stranger.current, message.id) == 0

    async def test_stopping_finishes_what_is_under_way(self) -> None:
        """An append that was begun before the stop is done, and durable."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            appends = [begun(store.append(Draft(alice.id, None, f"{n}", NOW))) for n in range(100)]
        messages = await all_of(appends)
        async with self.opened() as store:
            assert await store.read_feed(alice.id, 0, 1000) == messages
