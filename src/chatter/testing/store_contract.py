"""The promises of a store, as tests that any store can be put to."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, gatherResults

from chatter.errors import NameTaken, StoreUnavailable
from chatter.model import Draft, Message, User

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from chatter.interfaces import IChatStore

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)
"""A time, down to the microsecond that a store must keep."""


class StoreContract:
    """What every store promises."""

    def make_store(self) -> IChatStore:
        """Make a store that is not open, on the data of this test."""
        raise NotImplementedError

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[IChatStore]:
        """A store that is open for a while."""
        store = self.make_store()
        await _done(store.startService())
        try:
            yield store
        finally:
            await _done(store.stopService())

    # Messages

    async def test_messages_have_increasing_ids_and_keep_what_they_say(self) -> None:
        """A message is what its draft was, with an id larger than all before."""
        async with self.opened() as store:
            alice, bob = await _join(store, "alice", "bob")
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
            users = await _join(store, "alice", "bob", "carol")
            sent: list[Message] = []
            for _ in range(8):
                sent += await _all(
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
            alice, bob = await _join(store, "alice", "bob")
            drafts = [Draft(alice.id, None, f"{number}", NOW, "key") for number in range(5)]
            answers = await _all(store.append(draft) for draft in drafts)
            answers.append(await store.append(drafts[3]))
            other = await store.append(Draft(bob.id, None, "bob's", NOW, "key"))
            without = [await store.append(Draft(alice.id, None, "same", NOW)) for _ in range(2)]
            assert len(set(answers)) == 1
            assert await store.read_feed(alice.id, 0, 10) == [answers[0], other, *without]

    async def test_the_listener_is_told_once_in_order_and_first(self) -> None:
        """Each new message is told once, in id order, before its sender is answered."""
        told: list[Message] = []
        async with self.opened() as store:
            store.listener = told.extend
            (alice,) = await _join(store, "alice")
            draft = Draft(alice.id, None, "a", NOW, "key")
            message = await store.append(draft)
            assert told == [message]
            await store.append(draft)
            assert told == [message]
            await _all(store.append(Draft(alice.id, None, f"{n}", NOW)) for n in range(50))
            assert told == await store.read_feed(alice.id, 0, 100)

    # Reading

    async def test_a_feed_is_the_general_chat_and_ones_own_private_messages(self) -> None:
        """Everybody sees the general chat; a private message, its two people, and once."""
        async with self.opened() as store:
            alice, bob, carol = await _join(store, "alice", "bob", "carol")
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
            alice, bob = await _join(store, "alice", "bob")
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
            alice, bob, carol = await _join(store, "alice", "bob", "carol")
            private = []
            for sender, recipient in ((alice, bob), (bob, alice), (alice, bob), (bob, alice)):
                private.append(await store.append(Draft(sender.id, recipient.id, "a", NOW)))
                await store.append(Draft(sender.id, carol.id, "b", NOW))
                await store.append(Draft(sender.id, None, "c", NOW))
            assert await store.read_private(alice.id, bob.id, None, 3) == private[1:]
            assert await store.read_private(bob.id, alice.id, private[2].id, 1) == private[1:2]
            assert await store.read_private(alice.id, alice.id, None, 5) == []

    # Users

    async def test_users_are_found(self) -> None:
        """A user is found by id, by name whatever its case, and by token."""
        async with self.opened() as store:
            alice = await store.add_user("Alice", b"a" * 32, 0, NOW)
            app_user = await store.add_user("Zoë", None, 0, NOW)
            assert alice == User(alice.id, "Alice", NOW)
            assert await store.user_by_id(alice.id) == alice
            assert await store.user_by_id(alice.id + 1000) is None
            assert await store.user_by_name("aLICE") == alice
            assert await store.user_by_name("ZOE\u0308") == app_user
            assert await store.user_by_name("bob") is None
            assert await store.user_by_token(b"a" * 32) == alice
            assert await store.user_by_token(b"b" * 32) is None

    async def test_a_name_is_given_once(self) -> None:
        """A name that is the same in another case or normal form is taken, also at once."""
        async with self.opened() as store:
            await store.add_user("Straße", None, 0, NOW)
            for name in ("straße", "STRASSE", "Stra\u00dfe"):
                await _raises(NameTaken, store.add_user(name, None, 0, NOW))
            answers = await _outcomes(store.add_user("eve", None, 0, NOW) for _ in range(5))
            assert sum(isinstance(answer, User) for answer in answers) == 1
            assert sum(isinstance(answer, NameTaken) for answer in answers) == 4

    async def test_users_are_paged(self) -> None:
        """Users come by id, after one, so many at a time."""
        async with self.opened() as store:
            users = await _join(store, *(f"user {number}" for number in range(5)))
            assert await store.users(0, 3) == users[:3]
            assert await store.users(users[2].id, 3) == users[3:]
            assert await store.users(users[4].id, 3) == []

    async def test_cursors_and_signs_of_life_never_go_back(self) -> None:
        """What was noted is known at once, and something older changes nothing."""
        later = NOW + timedelta(minutes=1)
        async with self.opened() as store:
            user = await store.add_user("alice", None, 7, NOW)
            assert await store.cursor(user.id) == 7
            store.save_progress(user.id, 9, later)
            store.save_progress(user.id, 8, NOW)
            assert await store.cursor(user.id) == 9

    # Serving or not

    async def test_a_store_that_is_not_open_says_so(self) -> None:
        """Before it is open and after it was closed, everything is unavailable."""
        store = self.make_store()
        await self._check_unavailable(store)
        await _done(store.startService())
        await store.check()
        (alice,) = await _join(store, "alice")
        await _done(store.stopService())
        await self._check_unavailable(store, alice.id)

    async def _check_unavailable(self, store: IChatStore, user_id: int = 1) -> None:
        for asked in (
            store.check(),
            store.last_id(),
            store.append(Draft(user_id, None, "a", NOW)),
            store.read_feed(user_id, 0, 1),
            store.read_general(None, 1),
            store.read_private(user_id, user_id, None, 1),
            store.add_user("bob", None, 0, NOW),
            store.user_by_id(user_id),
            store.user_by_name("bob"),
            store.user_by_token(b"a" * 32),
            store.users(0, 1),
        ):
            await _raises(StoreUnavailable, asked)


class DurableStoreContract(StoreContract):
    """What a store promises besides whose data survives a restart."""

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
            assert await store.user_by_token(b"a" * 32) == User(alice.id, "alice", later)
            assert await store.append(draft) == message
            await _raises(NameTaken, store.add_user("ALICE", None, 0, NOW))
            new = await store.append(Draft(alice.id, None, "b", NOW))
            assert new.id > message.id
            assert await store.read_feed(alice.id, 0, 10) == [message, new]

    async def test_stopping_finishes_what_is_under_way(self) -> None:
        """An append that was begun before the stop is answered, and durable."""
        async with self.opened() as store:
            (alice,) = await _join(store, "alice")
            appends = [
                Deferred.fromCoroutine(_awaited(store.append(Draft(alice.id, None, f"{n}", NOW))))
                for n in range(100)
            ]
        messages = await gatherResults(appends)
        async with self.opened() as store:
            assert await store.read_feed(alice.id, 0, 1000) == messages


async def _done(result: object) -> None:
    if isinstance(result, Deferred):
        await result


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


async def _join(store: IChatStore, *names: str) -> list[User]:
    return [await store.add_user(name, None, 0, NOW) for name in names]


async def _all(awaitables: Any) -> list[Any]:
    """What all of them answer, that are awaited at once."""
    begun = [Deferred.fromCoroutine(_awaited(awaitable)) for awaitable in awaitables]
    return list(await gatherResults(begun))


async def _outcome(awaitable: Any) -> Any:
    try:
        return await awaitable
    except Exception as error:  # noqa: BLE001 - whatever it is, the test wants to see it
        return error


async def _outcomes(awaitables: Any) -> list[Any]:
    """What all of them answer or raise, that are awaited at once."""
    return await _all(_outcome(awaitable) for awaitable in awaitables)


async def _raises(error: type[Exception], awaitable: Any) -> None:
    outcome = await _outcome(awaitable)
    assert isinstance(outcome, error), f"{outcome!r} is no {error.__name__}"
