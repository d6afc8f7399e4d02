"""What every store promises of edits and withdrawals, as tests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from chatter.log.entries import ChangeDraft, Entry, MessageChange, Sent
from chatter.protocol.errors import Gone
from chatter.protocol.model import Draft, Message
from chatter.testing.opened_store import OpenedStore
from chatter.testing.waiting import NOW, all_of, join, must_raise, outcomes_of

if TYPE_CHECKING:
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import User

LATER = NOW + timedelta(minutes=1)


async def _say(
    store: IChatStore, sender: User, recipient: User | None = None, key: str | None = None
) -> Message:
    recipient_id = recipient.id if recipient else None
    return await store.append(Draft(sender.id, recipient_id, "a", NOW, key))


def _edit(message: Message, text: str = "new") -> ChangeDraft:
    return ChangeDraft(message.id, text, message.sender_id, LATER)


def _withdrawal(message: Message, by_id: int | None = None) -> ChangeDraft:
    return ChangeDraft(message.id, None, by_id or message.sender_id, LATER)


def _edited(message: Message, text: str = "new") -> Message:
    return Message(
        message.id, message.sender_id, message.recipient_id, text, message.sent_at, LATER
    )


def _change(change_id: int | None, message: Message, draft: ChangeDraft) -> MessageChange:
    assert change_id is not None
    return MessageChange(
        change_id,
        message.sender_id,
        message.recipient_id,
        message.id,
        draft.text,
        draft.by_id,
        draft.at,
    )


class ChangesContract(OpenedStore):
    """The message is the truth, and a change says to those who have read it: look again."""

    async def test_an_edited_message_stands_where_it_stood(self) -> None:
        """Everybody reads it as it is now, and finds the change at the end of the log."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            one, two = [await _say(store, alice) for _ in range(2)]
            change_id, edited = await store.change(_edit(one))
            change = _change(change_id, one, _edit(one))
            assert edited == _edited(one)
            assert change.id == await store.last_id() > two.id
            assert await store.read_message(one.id) == edited
            assert await store.read_general(None, 10) == [edited, two]
            for user in (alice, bob):
                assert await store.read_feed(user.id, 0, 10) == [edited, two, change]
                assert await store.read_feed(user.id, two.id, 10) == [change]

    async def test_a_withdrawn_message_is_gone(self) -> None:
        """Only the change is left, which says who did it; new ids go on after it."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            one, two = [await _say(store, alice) for _ in range(2)]
            draft = _withdrawal(two, bob.id)
            change_id, message = await store.change(draft)
            change = _change(change_id, two, draft)
            assert message == two
            assert await store.read_message(two.id) is None
            assert await store.read_general(None, 10) == [one]
            assert await store.read_feed(bob.id, 0, 10) == [one, change]
            three = await _say(store, alice)
            assert three.id > change.id > two.id

    async def test_who_has_sent_is_known_of_what_was_withdrawn(self) -> None:
        """Where its change stands; and of other messages once, also if they were edited."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            one, two, three = [await _say(store, user) for user in (alice, alice, bob)]
            private = await _say(store, alice, bob)
            gone, _ = await store.change(_withdrawal(two, bob.id))
            assert gone is not None
            for message in (one, private):
                await store.change(_edit(message))
            sent = [
                Sent(one.id, one.id, alice.id, NOW),
                Sent(three.id, three.id, bob.id, NOW),
                Sent(gone, two.id, alice.id, LATER),
            ]
            assert await store.read_general_senders(None, 10) == sent
            assert await store.read_general_senders(None, 2) == sent[1:]
            assert await store.read_general_senders(gone, 1) == sent[1:2]
            await store.trim(one.id)
            assert await store.read_general_senders(None, 10) == sent[1:]
            await store.trim(two.id)
            assert await store.read_general_senders(None, 10) == sent[1:2]

    async def test_only_the_newest_change_of_a_message_stays(self) -> None:
        """However often a message is edited, it is two entries; withdrawn it is one."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            message = await _say(store, alice)
            ids = []
            for number in range(5):
                change_id, _ = await store.change(_edit(message, f"{number}"))
                ids.append(change_id)
            newest = _change(ids[-1], message, _edit(message, "4"))
            assert await store.read_feed(alice.id, 0, 10) == [_edited(message, "4"), newest]
            change_id, _ = await store.change(_withdrawal(message))
            assert await store.read_feed(alice.id, 0, 10) == [
                _change(change_id, message, _withdrawal(message))
            ]

    async def test_the_same_text_changes_nothing(self) -> None:
        """A retry of an edit fires with the message, and appends no entry."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            message = await _say(store, alice)
            change_id, edited = await store.change(_edit(message))
            again = ChangeDraft(message.id, "new", alice.id, LATER + timedelta(minutes=1))
            assert await store.change(again) == (None, edited)
            assert await store.last_id() == change_id

    async def test_what_is_gone_can_not_be_changed(self) -> None:
        """Nor can what never was a message; it fails alone."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            one, two = [await _say(store, alice) for _ in range(2)]
            change_id, _ = await store.change(_withdrawal(one))
            assert change_id is not None
            wanted = [
                _edit(one),
                _withdrawal(one),
                ChangeDraft(change_id, "b", alice.id, LATER),
                ChangeDraft(change_id + 1000, None, alice.id, LATER),
            ]
            drafts = [*wanted, _edit(two)]
            *gone, (_, edited) = await outcomes_of(store.change(draft) for draft in drafts)
            assert all(isinstance(outcome, Gone) for outcome in gone)
            assert edited == _edited(two)

    async def test_a_change_of_a_private_message_reaches_its_two_people(self) -> None:
        """Nobody else sees that there was one."""
        async with self.opened() as store:
            alice, bob, carol = await join(store, "alice", "bob", "carol")
            private = await _say(store, alice, bob)
            draft = _edit(private)
            change_id, edited = await store.change(draft)
            change = _change(change_id, private, draft)
            for user, other in ((alice, bob), (bob, alice)):
                assert await store.read_feed(user.id, 0, 10) == [edited, change]
                assert await store.read_private(user.id, other.id, None, 10) == [edited]
            assert await store.read_feed(carol.id, 0, 10) == []

    async def test_what_was_sent_with_a_key_is_found(self) -> None:
        """It is each sender's own, and as it is now; of one that was withdrawn it is said."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            message = await _say(store, alice, key="key")
            assert await store.read_sent(alice.id, "key") == message
            assert await store.read_sent(alice.id, "Key") is None
            assert await store.read_sent(bob.id, "key") is None
            await store.change(_edit(message))
            assert await store.read_sent(alice.id, "key") == _edited(message)
            await store.change(_withdrawal(message))
            await must_raise(Gone, store.read_sent(alice.id, "key"))

    async def test_the_key_of_a_withdrawn_message_stays_used(self) -> None:
        """A retry of what was withdrawn sends it not again, and says so."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            one = await _say(store, alice, key="one")
            two = await _say(store, alice, key="two")
            await store.change(_withdrawal(one))
            await store.change(_edit(two))
            await must_raise(Gone, _say(store, alice, key="one"))
            assert await _say(store, alice, key="two") == _edited(two)
            assert await store.read_general(None, 10) == [_edited(two)]
            outcomes = await outcomes_of(_say(store, alice, key=key) for key in ("one", "new"))
            assert isinstance(outcomes[0], Gone)
            assert isinstance(outcomes[1], Message)

    async def test_the_listener_is_told_of_changes_in_order(self) -> None:
        """Concurrent changes are reported in id order, before they fire."""
        told: list[Entry] = []
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            messages = [await _say(store, alice) for _ in range(5)]
            store.listener = told.extend
            changes = all_of(
                store.change(_edit(m) if m.id % 2 else _withdrawal(m)) for m in messages
            )
            sent = await all_of(_say(store, alice) for _ in range(5))
            ids = [change_id for change_id, _ in await changes]
            assert [entry.id for entry in told] == sorted([*ids, *(m.id for m in sent)])
            after = messages[-1].id
            assert told == await store.read_feed(alice.id, after, 100)

    async def test_histories_pass_over_changes(self) -> None:
        """A page of a history is full of messages, however many changes lie between."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            general = [await _say(store, alice) for _ in range(4)]
            private = [await _say(store, alice, bob) for _ in range(4)]
            await all_of(store.change(_edit(m)) for m in (*general[1:], *private[1:]))
            after = await _say(store, alice)
            assert await store.read_general(None, 3) == [*map(_edited, general[2:]), after]
            assert await store.read_general(general[2].id, 3) == [general[0], _edited(general[1])]
            found = await store.read_private(bob.id, alice.id, None, 3)
            assert found == [*map(_edited, private[1:])]

    async def test_a_list_of_chats_has_what_is_left(self) -> None:
        """A chat stands where its last message stands; one without messages is in no list."""
        async with self.opened() as store:
            alice, bob, carol = await join(store, "alice", "bob", "carol")
            with_bob = [await _say(store, bob, alice), await _say(store, alice, bob)]
            with_carol = await _say(store, carol, alice)
            newest = await _say(store, bob, alice)
            general = await _say(store, carol)

            async def chats() -> list[tuple[int | None, Message | None, int]]:
                found = await store.chats(alice.id, 0, None, 10)
                return [(chat.recipient_id, chat.last, chat.unread) for chat in found]

            assert await chats() == [
                (None, general, 1),
                (bob.id, newest, 2),
                (carol.id, with_carol, 1),
            ]
            await store.change(_withdrawal(newest))
            await store.change(_edit(with_bob[1]))
            await store.change(_edit(with_bob[0]))
            await store.change(_withdrawal(general))
            assert await chats() == [
                (None, None, 0),
                (carol.id, with_carol, 1),
                (bob.id, _edited(with_bob[1]), 1),
            ]
            for message in (with_carol, *with_bob):
                await store.change(_withdrawal(message))
            assert await chats() == [(None, None, 0)]
            await store.mark_read(alice.id, bob.id, 1000)
            again = await _say(store, bob, alice)
            assert await chats() == [(None, None, 0), (bob.id, again, 1)]
