"""What every store promises of its users, as tests."""

from __future__ import annotations

from datetime import timedelta

from chatter.protocol.errors import NameTaken
from chatter.protocol.model import Draft, User
from chatter.testing.opened_store import OpenedStore
from chatter.testing.waiting import NOW, join, must_raise, outcomes_of


class UsersContract(OpenedStore):
    """Users are found, their names are theirs alone, and they go on where they were."""

    async def test_users_are_found(self) -> None:
        """A user is found by id, and by name whatever its case."""
        async with self.opened() as store:
            alice = await store.add_user("Alice", b"a" * 32, 0, NOW)
            app_user = await store.add_user("Zoë", None, 0, NOW)
            assert alice == User(alice.id, "Alice", NOW)
            assert await store.user_by_id(alice.id) == alice
            assert await store.user_by_id(alice.id + 1000) is None
            assert await store.user_by_name("aLICE") == alice
            assert await store.user_by_name("ZOE\u0308") == app_user
            assert await store.user_by_name("bob") is None

    async def test_a_name_is_given_once(self) -> None:
        """A name that is the same in another case or normal form is taken, also at once."""
        async with self.opened() as store:
            await store.add_user("Straße", None, 0, NOW)
            for name in ("straße", "STRASSE", "Stra\u00dfe"):
                await must_raise(NameTaken, store.add_user(name, None, 0, NOW))
            results = await outcomes_of(store.add_user("eve", None, 0, NOW) for _ in range(5))
            assert sum(isinstance(result, User) for result in results) == 1
            assert sum(isinstance(result, NameTaken) for result in results) == 4

    async def test_a_name_that_is_taken_hurts_nobody_else(self) -> None:
        """What others store at the same time is stored."""
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            message, refused, bob = await outcomes_of(
                (
                    store.append(Draft(alice.id, None, "a", NOW)),
                    store.add_user("Alice", b"b" * 32, 0, NOW),
                    store.add_user("bob", None, 0, NOW),
                )
            )
            assert isinstance(refused, NameTaken)
            assert await store.read_feed(alice.id, 0, 10) == [message]
            assert await store.users(0, 10) == [alice, bob]
            assert await store.tokens.find(b"b" * 32) is None

    async def test_a_token_is_given_once(self) -> None:
        """Nobody joins with a token that somebody has, also at once; others do meanwhile."""
        async with self.opened() as store:
            outcomes = await outcomes_of(
                store.add_user(name, token, 0, NOW)
                for name, token in (("a", b"a" * 32), ("b", b"a" * 32), ("c", b"c" * 32))
            )
            first, refused, other = outcomes
            assert isinstance(refused, NameTaken)
            await must_raise(NameTaken, store.add_user("d", b"a" * 32, 0, NOW))
            assert await store.users(0, 10) == [first, other]
            assert await store.user_by_name("b") is None

    async def test_users_are_paged(self) -> None:
        """Users come by id, after one, so many at a time."""
        async with self.opened() as store:
            users = await join(store, *(f"user {number}" for number in range(5)))
            assert await store.users(0, 3) == users[:3]
            assert await store.users(users[2].id, 3) == users[3:]
            assert await store.users(users[4].id, 3) == []

    async def test_users_are_found_by_several_ids(self) -> None:
        """Those that are there come by id, each once."""
        async with self.opened() as store:
            users = await join(store, *(f"user {number}" for number in range(4)))
            wanted = [users[3].id, users[1].id, users[3].id, users[3].id + 1000]
            assert await store.users_by_id(wanted) == [users[1], users[3]]
            assert await store.users_by_id([]) == []

    async def test_users_are_found_by_the_beginning_of_their_name(self) -> None:
        """Whatever the case; by name, at most so many."""
        async with self.opened() as store:
            names = ("Zoë", "alice", "Albert", "al", "alb%", "alb_", "ålborg", "Al😀")
            zoe, alice, albert, al, percent, underscore, _, smile = await join(store, *names)
            assert await store.users_by_prefix("AL", 10) == [
                al,
                percent,
                underscore,
                albert,
                alice,
                smile,
            ]
            assert await store.users_by_prefix("al", 2) == [al, percent]
            assert await store.users_by_prefix("alb%", 10) == [percent]
            assert await store.users_by_prefix("ZÖ", 10) == []
            assert await store.users_by_prefix("zoë", 10) == [zoe]

    async def test_users_are_found_by_when_they_were_seen(self) -> None:
        """Those who were seen since then, by id, so many at a time."""
        async with self.opened() as store:
            users = [
                await store.add_user(f"{number}", None, 0, NOW + timedelta(minutes=number))
                for number in (3, 0, 2, 1)
            ]
            since = NOW + timedelta(minutes=1)
            assert await store.users_seen(since, 0, 10) == [users[0], users[2], users[3]]
            assert await store.users_seen(since, users[0].id, 1) == [users[2]]
            assert await store.users_seen(NOW + timedelta(minutes=4), 0, 10) == []

    async def test_cursors_and_signs_of_life_never_go_back(self) -> None:
        """What was noted is known at once, and something older changes nothing."""
        later = NOW + timedelta(minutes=1)
        async with self.opened() as store:
            user = await store.add_user("alice", None, 7, NOW)
            assert await store.cursor(user.id) == 7
            store.save_progress(user.id, 9, later)
            store.save_progress(user.id, 8, NOW)
            assert await store.cursor(user.id) == 9

    async def test_a_sign_of_life_is_no_reading(self) -> None:
        """Who is there, and has read nothing new, stays where they were."""
        async with self.opened() as store:
            user = await store.add_user("alice", None, 7, NOW)
            store.save_progress(user.id, 0, NOW + timedelta(minutes=1))
            assert await store.cursor(user.id) == 7
