"""What every store promises of its messages, as tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.log.limited_drafts import LimitedDraft
from chatter.protocol.model import Draft, Message
from chatter.testing.opened_store import OpenedStore
from chatter.testing.waiting import NOW, all_of, begun, join

if TYPE_CHECKING:
    from chatter.log.entries import Entry


class LogContract(OpenedStore):
    """One log in commit order, and its views."""

    # Messages

    async def test_messages_have_increasing_ids_and_keep_what_they_say(self) -> None:
        """A message is what its draft was, with an id larger than all before."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            text = "Grüße \U0001f600 'quoted' \"double\" \\ \n\ttab"
            first = await store.append(Draft(alice.id, None, text, NOW))
            second = await store.append(Draft(bob.id, alice.id, "psst", NOW))
            assert first == Message(first.id, alice.id, None, text, NOW)
            assert second == Message(second.id, bob.id, alice.id, "psst", NOW)
            assert 0 < first.id < second.id == await store.last_id()
            assert await store.read_feed(alice.id, 0, 10) == [first, second]

    async def test_concurrent_appends_are_one_log(self) -> None:
        """Drafts that are appended at once all get in, each with an id of its own."""
        async with self.opened() as store:
            users = await join(store, "alice", "bob", "carol")
            sent: list[Message] = []
            for _ in range(8):
                sent += await all_of(
                    store.append(Draft(user.id, None, f"{number}", NOW))
                    for user in users
                    for number in range(20)
                )
            log = await store.read_feed(users[0].id, 0, 1000)
            assert sorted(sent, key=lambda message: message.id) == log
            assert len({message.id for message in log}) == 480

    async def test_a_key_is_appended_once(self) -> None:
        """Drafts of one sender with one key are one message, at once or one after the other."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            drafts = [Draft(alice.id, None, f"{number}", NOW, "key") for number in range(5)]
            results = await all_of(store.append(draft) for draft in drafts)
            results.append(await store.append(drafts[3]))
            other = await store.append(Draft(bob.id, None, "bob's", NOW, "key"))
            without = [await store.append(Draft(alice.id, None, "same", NOW)) for _ in range(2)]
            assert len(set(results)) == 1
            assert await store.read_feed(alice.id, 0, 10) == [results[0], other, *without]

    async def test_a_draft_with_a_limit_is_one_message(self) -> None:
        """Within its limit a draft is a message like any other, with or without a key."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            plain = LimitedDraft(alice.id, None, "a", NOW, counted_until=0, remaining=3)
            keyed = LimitedDraft(alice.id, None, "b", NOW, "key", counted_until=0, remaining=3)
            results = await all_of(store.append(draft) for draft in (plain, keyed, keyed))
            results.append(await store.append(keyed))
            sent = [Message(message.id, alice.id, None, message.text, NOW) for message in results]
            assert [message.text for message in results] == ["a", "b", "b", "b"]
            assert results == sent
            assert await store.read_feed(alice.id, 0, 10) == sent[:2]

    async def test_the_listener_is_told_once_in_order_and_first(self) -> None:
        """The listener gets each new message once, in id order, before ``append`` fires."""
        told: list[Entry] = []
        async with self.opened() as store:
            store.listener = told.extend
            (alice,) = await join(store, "alice")
            draft = Draft(alice.id, None, "a", NOW, "key")
            message = await store.append(draft)
            assert told == [message]
            await store.append(draft)
            assert told == [message]
            await all_of(store.append(Draft(alice.id, None, f"{n}", NOW)) for n in range(50))
            assert told == await store.read_feed(alice.id, 0, 100)

    async def test_what_is_told_can_be_read(self) -> None:
        """A listener that reads at once finds the message."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            looks = []

            def look(messages: list[Entry]) -> None:
                looks.append((messages, begun(store.read_feed(alice.id, messages[0].id - 1, 100))))

            store.listener = look
            await all_of(store.append(Draft(alice.id, None, f"{n}", NOW)) for n in range(20))
            assert looks
            for messages, found in looks:
                assert (await found)[: len(messages)] == messages

    async def test_nothing_appears_below_what_was_seen(self) -> None:
        """A reader who polls while others send finds new messages at the end."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            drafts = [Draft(user.id, None, f"{n}", NOW) for n in range(50) for user in (alice, bob)]
            seen: list[Entry] = []
            for start in range(0, len(drafts), 5):
                sending = all_of(store.append(draft) for draft in drafts[start : start + 5])
                for _ in range(3):
                    now = await store.read_feed(alice.id, 0, 1000)
                    assert now[: len(seen)] == seen
                    seen = now
                await sending
            assert len(await store.read_feed(bob.id, 0, 1000)) == len(drafts)

    # Reading

    async def test_a_feed_is_the_general_chat_and_ones_own_private_messages(self) -> None:
        """Everybody sees the general chat; a private message, its two people, and once."""
        async with self.opened() as store:
            alice, bob, carol = await join(store, "alice", "bob", "carol")
            sent = [
                await store.append(Draft(sender.id, recipient.id if recipient else None, "a", NOW))
                for sender, recipient in (
                    (alice, None),
                    (alice, bob),
                    (bob, alice),
                    (carol, carol),
                    (bob, None),
                )
            ]
            one, two, three, own, five = sent
            assert await store.read_feed(alice.id, 0, 10) == [one, two, three, five]
            assert await store.read_feed(bob.id, 0, 10) == [one, two, three, five]
            assert await store.read_feed(carol.id, 0, 10) == [one, own, five]
            assert await store.read_feed(alice.id, two.id, 1) == [three]
            assert await store.read_feed(alice.id, five.id, 10) == []
            assert await store.read_feed(alice.id, five.id + 1000, 10) == []

    async def test_the_general_chat_is_paged_back(self) -> None:
        """The newest messages, oldest first, and those before an id."""
        async with self.opened() as store:
            alice, bob = await join(store, "alice", "bob")
            general = []
            for number in range(6):
                general.append(await store.append(Draft(alice.id, None, f"{number}", NOW)))
                await store.append(Draft(alice.id, bob.id, "private", NOW))
            assert await store.read_general(None, 3) == general[3:]
            assert await store.read_general(general[3].id, 2) == general[1:3]
            assert await store.read_general(general[0].id, 2) == []
            assert await store.read_general(None, 100) == general

    async def test_a_private_chat_is_paged_back(self) -> None:
        """The messages between two people, whoever sent them, and nobody else's."""
        async with self.opened() as store:
            alice, bob, carol = await join(store, "alice", "bob", "carol")
            private = []
            for sender, recipient in ((alice, bob), (bob, alice), (alice, bob), (bob, alice)):
                private.append(await store.append(Draft(sender.id, recipient.id, "a", NOW)))
                await store.append(Draft(sender.id, carol.id, "b", NOW))
                await store.append(Draft(sender.id, None, "c", NOW))
            assert await store.read_private(alice.id, bob.id, None, 3) == private[1:]
            assert await store.read_private(bob.id, alice.id, private[2].id, 1) == private[1:2]
            assert await store.read_private(alice.id, alice.id, None, 5) == []
            own = await store.append(Draft(alice.id, alice.id, "a note", NOW))
            assert await store.read_private(alice.id, alice.id, None, 5) == [own]
            assert await store.read_private(alice.id, bob.id, None, 5) == private
