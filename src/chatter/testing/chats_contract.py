"""What every store promises of the chats in a user's list, as tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.protocol.model import ChatSummary, Draft, Message
from chatter.testing.opened_store import OpenedStore
from chatter.testing.waiting import NOW, all_of, join

if TYPE_CHECKING:
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import User


async def _say(store: IChatStore, sender: User, recipient: User | None = None) -> Message:
    return await store.append(Draft(sender.id, recipient.id if recipient else None, "a", NOW))


async def _unread(store: IChatStore, user: User, cursor: int = 0) -> dict[int | None, int]:
    found = await store.chats(user.id, cursor, None, 100)
    return {chat.recipient_id: chat.unread for chat in found}


class ChatsContract(OpenedStore):
    """Chats come newest first, each with its last message, read mark and unread count."""

    async def test_chats_come_newest_first_after_the_general_chat(self) -> None:
        """The general chat is always there; a private one from the first message on."""
        async with self.opened() as store:
            alice, bob, carol = await join(store, "alice", "bob", "carol")
            empty = [ChatSummary(None, None, 0, 0)]
            assert await store.chats(alice.id, 0, None, 10) == empty
            one = await _say(store, alice, bob)
            two = await _say(store, carol, alice)
            general = await _say(store, bob)
            assert await store.chats(alice.id, 0, None, 10) == [
                ChatSummary(None, general, 0, 1),
                ChatSummary(carol.id, two, 0, 1),
                ChatSummary(bob.id, one, 0, 0),
            ]
            three = await _say(store, bob, alice)
            _, first, second = await store.chats(alice.id, 0, None, 10)
            assert first == ChatSummary(bob.id, three, 0, 1)
            assert second == ChatSummary(carol.id, two, 0, 1)

    async def test_a_private_chat_is_in_the_lists_of_its_two_users_only(self) -> None:
        """Others see nothing of it, also not that it is there."""
        async with self.opened() as store:
            alice, bob, carol = await join(store, "alice", "bob", "carol")
            message = await _say(store, alice, bob)
            assert (await store.chats(alice.id, 0, None, 10))[1:] == [
                ChatSummary(bob.id, message, 0, 0)
            ]
            assert (await store.chats(bob.id, 0, None, 10))[1:] == [
                ChatSummary(alice.id, message, 0, 1)
            ]
            assert await _unread(store, carol) == {None: 0}

    async def test_messages_that_are_sent_at_once_are_all_noted(self) -> None:
        """Of many that are stored together, the newest is the last one, both ways."""
        async with self.opened() as store:
            alice, bob, carol = await join(store, "alice", "bob", "carol")
            pairs = [(alice, bob), (bob, alice), (carol, alice), (alice, None), (alice, alice)] * 20
            sent = await all_of(_say(store, *pair) for pair in pairs)
            found = await store.chats(alice.id, 0, None, 10)
            unread = {chat.recipient_id: chat.unread for chat in found}
            assert unread == {None: 0, alice.id: 0, bob.id: 20, carol.id: 20}
            for chat in found[1:]:
                ids = {alice.id, chat.recipient_id}
                between = [m for m in sent if {m.sender_id, m.recipient_id} == ids]
                assert chat.last == max(between, key=lambda message: message.id)

    async def test_chats_are_paged(self) -> None:
        """``before`` is the id of the last message of the last chat, and has no general chat."""
        async with self.opened() as store:
            alice, *others = await join(store, "alice", *(f"user {number}" for number in range(5)))
            last = [await _say(store, other, alice) for other in others]
            page = await store.chats(alice.id, 0, None, 2)
            assert [chat.last for chat in page] == [None, last[4], last[3]]
            page = await store.chats(alice.id, 0, last[3].id, 2)
            assert [chat.last for chat in page] == [last[2], last[1]]
            page = await store.chats(alice.id, 0, last[1].id, 2)
            assert [chat.last for chat in page] == [last[0]]
            assert await store.chats(alice.id, 0, last[0].id, 2) == []

    async def test_a_read_mark_is_a_chats_own(self) -> None:
        """To read one chat reads no other one, and nobody else's."""
        async with self.opened() as store:
            alice, bob, carol = await join(store, "alice", "bob", "carol")
            for _ in range(3):
                first = await _say(store, bob, alice)
                await _say(store, carol, alice)
                general = await _say(store, bob)
            await store.mark_read(alice.id, bob.id, first.id)
            assert await _unread(store, alice) == {None: 3, bob.id: 0, carol.id: 3}
            await store.mark_read(alice.id, None, general.id - 1)
            assert await _unread(store, alice) == {None: 1, bob.id: 0, carol.id: 3}
            assert await _unread(store, carol) == {None: 3, alice.id: 0}

    async def test_a_read_mark_never_goes_back(self) -> None:
        """What was read stays read, also when marks arrive at once and in any order."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            ids = [(await _say(store, bob, alice)).id for _ in range(4)]
            ids += [(await _say(store, bob)).id for _ in range(4)]
            await all_of(
                store.mark_read(alice.id, other_id, message_id)
                for message_id in (ids[2], ids[0], ids[6], ids[1])
                for other_id in (bob.id, None)
            )
            general, private = await store.chats(alice.id, 0, None, 10)
            assert (general.read, general.unread) == (ids[6], 1)
            assert (private.read, private.unread) == (ids[6], 0)

    async def test_what_was_delivered_is_read(self) -> None:
        """Where the cursor of the feed is further on than a mark, it counts."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            one, two = [await _say(store, bob, alice) for _ in range(2)]
            await store.mark_read(alice.id, bob.id, one.id)
            assert await _unread(store, alice) == {None: 0, bob.id: 1}
            assert await _unread(store, alice, two.id) == {None: 0, bob.id: 0}
            general, private = await store.chats(alice.id, two.id, None, 10)
            assert general.read == private.read == two.id

    async def test_nothing_is_marked_where_there_is_no_message(self) -> None:
        """A mark makes no chat."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            await store.mark_read(alice.id, bob.id, 1)
            assert await _unread(store, alice) == {None: 0}
            assert await _unread(store, bob) == {None: 0}

    async def test_unread_messages_are_counted_up_to_a_hundred(self) -> None:
        """There is a bound on what counting costs."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            await all_of(_say(store, bob, to) for to in (alice, None) for _ in range(130))
            assert await _unread(store, alice) == {None: 100, bob.id: 100}
