"""What every store promises of what is no longer kept, as tests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from chatter.log.entries import ChangeDraft, MessageChange
from chatter.protocol.errors import Gone
from chatter.protocol.model import Draft, Message
from chatter.testing.opened_store import OpenedStore
from chatter.testing.waiting import NOW, all_of, join, must_raise

if TYPE_CHECKING:
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import User

LATER = NOW + timedelta(hours=1)


async def _say(store: IChatStore, sender: User, recipient: User | None = None) -> Message:
    recipient_id = recipient.id if recipient else None
    return await store.append(Draft(sender.id, recipient_id, "a", NOW))


class TrimmingContract(OpenedStore):
    """The begin of the log may go, and with it all that stood there."""

    async def test_what_is_trimmed_is_found_by_nobody(self) -> None:
        """In no feed, in no history, by no id; what comes after it stays as it is."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            gone = [await _say(store, alice), await _say(store, alice, bob)]
            kept = [await _say(store, bob), await _say(store, bob, alice)]
            assert store.kept_after == 0
            await store.trim(gone[-1].id)
            assert store.kept_after == gone[-1].id
            for user in (alice, bob):
                for after in (0, gone[0].id, gone[-1].id):
                    assert await store.read_feed(user.id, after, 10) == kept
                assert await store.read_feed(user.id, kept[0].id, 10) == kept[1:]
            assert await store.read_general(None, 10) == kept[:1]
            assert await store.read_general(kept[0].id, 10) == []
            assert await store.read_private(alice.id, bob.id, None, 10) == kept[1:]
            assert await store.read_private(bob.id, alice.id, kept[1].id, 10) == []
            for message in gone:
                assert await store.read_message(message.id) is None
                await must_raise(Gone, store.change(ChangeDraft(message.id, "b", 1, LATER)))
            assert await store.read_message(kept[0].id) == kept[0]

    async def test_trimming_never_goes_back(self) -> None:
        """What is no longer kept does not come again; what is not yet there can't be trimmed."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            messages = [await _say(store, alice) for _ in range(3)]
            told: list[int] = []
            store.trimmed = told.append
            await store.trim(messages[1].id)
            await store.trim(messages[0].id)
            await store.trim(messages[1].id)
            assert store.kept_after == messages[1].id
            assert await store.read_general(None, 10) == messages[2:]
            await store.trim(messages[2].id + 1000)
            assert store.kept_after == messages[2].id
            assert told == [messages[1].id, messages[2].id]
            new = await _say(store, alice)
            assert await store.read_feed(alice.id, 0, 10) == [new]

    async def test_no_id_is_given_again_when_all_are_gone(self) -> None:
        """New messages come after those that were."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            last_id = (await all_of(_say(store, alice) for _ in range(3)))[-1].id
            await store.trim(last_id)
            assert await store.last_id() == last_id
            assert (await _say(store, alice)).id == last_id + 1

    async def test_of_a_change_of_what_is_gone_no_text_is_left(self) -> None:
        """A change that is kept says that its message is not there; others stay as they are."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            gone, kept = [await _say(store, alice) for _ in range(2)]
            changes = [
                (await store.change(ChangeDraft(message.id, "new", alice.id, LATER)))[0]
                for message in (gone, kept)
            ]
            await store.trim(gone.id)
            edited, *found = await store.read_feed(alice.id, 0, 10)
            assert isinstance(edited, Message)
            assert (edited.id, edited.text) == (kept.id, "new")
            assert [
                (change.id, change.message_id, change.text)
                for change in found
                if isinstance(change, MessageChange)
            ] == [(changes[0], gone.id, None), (changes[1], kept.id, "new")]

    async def test_a_list_of_chats_has_what_is_kept(self) -> None:
        """A chat of which nothing is kept is in no list; what is gone is not unread."""
        async with self.opened() as store:
            alice, bob, carol = await join(store, "alice", "bob", "carol")
            await _say(store, carol, alice)
            await _say(store, bob)
            gone = await _say(store, bob, alice)
            newest = await _say(store, bob, alice)
            await store.trim(gone.id)

            async def chats() -> list[tuple[int | None, Message | None, int]]:
                found = await store.chats(alice.id, 0, None, 10)
                return [(chat.recipient_id, chat.last, chat.unread) for chat in found]

            assert await chats() == [(None, None, 0), (bob.id, newest, 1)]
            await store.mark_read(alice.id, carol.id, newest.id)
            again = await _say(store, carol, alice)
            assert await chats() == [(None, None, 0), (carol.id, again, 1), (bob.id, newest, 1)]
            await store.mark_read(alice.id, bob.id, newest.id)
            await store.trim(newest.id)
            general = await _say(store, bob)
            assert await chats() == [(None, general, 1), (carol.id, again, 1)]

    async def test_a_stretch_can_be_counted(self) -> None:
        """Its messages, general and private, without their changes and what was withdrawn."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            messages = [await _say(store, alice, bob if n % 2 else None) for n in range(5)]
            await store.change(ChangeDraft(messages[1].id, None, alice.id, LATER))
            await store.change(ChangeDraft(messages[2].id, "new", alice.id, LATER))
            last_id = await store.last_id()
            assert await store.count_messages(0, last_id) == (3, 1)
            assert await store.count_messages(messages[0].id, messages[3].id) == (1, 1)
            assert await store.count_messages(messages[3].id, last_id + 1000) == (1, 0)
            assert await store.count_messages(last_id, last_id) == (0, 0)

    async def test_old_entries_stand_before_the_first_one_that_is_not(self) -> None:
        """An entry that is younger protects all that come after it, whatever their time says."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            times = [NOW, NOW, LATER, NOW]
            drafts = [Draft(alice.id, None, "a", time) for time in times]
            ids = [(await store.append(draft)).id for draft in drafts]
            end = ids[-1]
            assert await store.old_entries(0, end, LATER, 10) == (2, ids[1])
            assert await store.old_entries(0, end, LATER, 1) == (1, ids[0])
            assert await store.old_entries(0, ids[0], LATER, 10) == (1, ids[0])
            assert await store.old_entries(0, end, NOW, 10) == (0, 0)
            assert await store.old_entries(ids[1], end, LATER, 10) == (0, ids[1])
            assert await store.old_entries(ids[2], end, LATER, 10) == (1, ids[3])
            after = LATER + timedelta(seconds=1)
            assert await store.old_entries(0, end + 10, after, 10) == (4, ids[3])
            assert await store.old_entries(end, end, after, 10) == (0, end)
