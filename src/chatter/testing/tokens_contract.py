"""What every store promises of tokens, as tests."""

from __future__ import annotations

from datetime import timedelta

from chatter.protocol.errors import KeyUsed, TooManyTokens
from chatter.protocol.model import Token
from chatter.testing.opened_store import OpenedStore
from chatter.testing.waiting import NOW, join, outcomes_of


class TokensContract(OpenedStore):
    """A user may have several tokens, until they are revoked."""

    async def test_who_joins_has_a_token(self) -> None:
        """It finds its user; who joins without one has none, and can be given one."""
        async with self.opened() as store:
            alice = await store.add_user("alice", b"a" * 32, 0, NOW)
            (bob,) = await join(store, "bob")
            assert await store.tokens.find(b"b" * 32) is None
            found = await store.tokens.find(b"a" * 32)
            assert found is not None
            token, user = found
            assert user == alice
            assert token == Token(token.id, alice.id, "", NOW, NOW)
            assert await store.tokens.of_user(alice.id) == [token]
            assert await store.tokens.of_user(bob.id) == []
            given = await store.tokens.add(bob.id, b"b" * 32, "Ünïcode", NOW)
            assert given == Token(given.id, bob.id, "Ünïcode", NOW, NOW)
            assert await store.tokens.find(b"b" * 32) == (given, bob)

    async def test_a_user_has_several_tokens(self) -> None:
        """Each of them finds the user; they are listed by id."""
        async with self.opened() as store:
            alice = await store.add_user("alice", b"0" * 32, 0, NOW)
            await store.add_user("bob", b"b" * 32, 0, NOW)
            for number in (1, 2, 3):
                await store.tokens.add(alice.id, b"%d" % number * 32, f"{number}", NOW)
            tokens = await store.tokens.of_user(alice.id)
            assert [token.label for token in tokens] == ["", "1", "2", "3"]
            for number in range(4):
                assert await store.tokens.find(b"%d" % number * 32) == (tokens[number], alice)

    async def test_a_token_is_added_once(self) -> None:
        """Be it for the same user or another one, and at once; the first one stays."""
        async with self.opened() as store:
            alice = await store.add_user("alice", b"a" * 32, 0, NOW)
            (bob,) = await join(store, "bob")
            adding = [
                store.tokens.add(user_id, b"t" * 32, label, NOW)
                for user_id, label in ((alice.id, "first"), (alice.id, ""), (bob.id, ""))
            ]
            token, *refused = await outcomes_of(adding)
            assert isinstance(token, Token)
            assert [type(error) for error in refused] == [KeyUsed, KeyUsed]
            assert await store.tokens.find(b"t" * 32) == (token, alice)
            assert await store.tokens.of_user(bob.id) == []

    async def test_a_user_has_as_many_tokens_as_are_allowed(self) -> None:
        """Also if several are added at once; another user's do not count."""
        async with self.opened() as store:
            alice = await store.add_user("alice", b"a" * 32, 0, NOW)
            bob = await store.add_user("bob", b"b" * 32, 0, NOW)
            adding = [
                store.tokens.add(user_id, b"%d" % number * 32, "", NOW, 2)
                for number, user_id in enumerate((alice.id, alice.id, bob.id, bob.id))
            ]
            added = await outcomes_of(adding)
            assert [type(one) for one in added] == [Token, TooManyTokens] * 2
            assert await store.tokens.find(b"1" * 32) is None
            assert len(await store.tokens.of_user(alice.id)) == 2

    async def test_an_id_of_a_token_is_not_given_again(self) -> None:
        """A client that knows the id of a revoked one must not revoke a new one with it."""
        async with self.opened() as store:
            alice = await store.add_user("alice", b"a" * 32, 0, NOW)
            newest = await store.tokens.add(alice.id, b"b" * 32, "", NOW)
            assert await store.tokens.revoke(alice.id, newest.id)
            assert (await store.tokens.add(alice.id, b"c" * 32, "", NOW)).id > newest.id
            assert await store.tokens.revoke(alice.id, None)
            assert (await store.tokens.add(alice.id, b"d" * 32, "", NOW)).id > newest.id + 1

    async def test_a_revoked_token_is_nobodys(self) -> None:
        """It is told of before that fires; others of the user stay."""
        async with self.opened() as store:
            told: list[int] = []
            store.tokens.revoked = told.append
            alice = await store.add_user("alice", b"a" * 32, 0, NOW)
            bob = await store.add_user("bob", b"b" * 32, 0, NOW)
            other = await store.tokens.add(alice.id, b"c" * 32, "phone", NOW)
            (token, _) = await store.tokens.of_user(alice.id)
            assert not await store.tokens.revoke(bob.id, token.id)
            assert not await store.tokens.revoke(alice.id, token.id + 1000)
            assert told == []
            assert await store.tokens.revoke(alice.id, token.id)
            assert told == [alice.id]
            assert await store.tokens.find(b"a" * 32) is None
            assert await store.tokens.of_user(alice.id) == [other]
            assert not await store.tokens.revoke(alice.id, token.id)
            assert await store.tokens.find(b"b" * 32) is not None

    async def test_all_tokens_are_revoked(self) -> None:
        """Those of the user, and no others."""
        async with self.opened() as store:
            told: list[int] = []
            store.tokens.revoked = told.append
            alice = await store.add_user("alice", b"a" * 32, 0, NOW)
            await store.add_user("bob", b"b" * 32, 0, NOW)
            await store.tokens.add(alice.id, b"c" * 32, "", NOW)
            assert await store.tokens.revoke(alice.id, None)
            assert told == [alice.id]
            assert await store.tokens.of_user(alice.id) == []
            assert not await store.tokens.revoke(alice.id, None)
            assert await store.tokens.find(b"b" * 32) is not None
            assert await store.user_by_id(alice.id) == alice

    async def test_uses_of_tokens_never_go_back(self) -> None:
        """The last one counts; what is no token is ignored."""
        later = NOW + timedelta(minutes=1)
        async with self.opened() as store:
            alice = await store.add_user("alice", b"a" * 32, 0, NOW)
            await store.tokens.add(alice.id, b"b" * 32, "", NOW)
            first, second = await store.tokens.of_user(alice.id)
            await store.tokens.save_uses([(first.id, later), (second.id + 1000, later)])
            await store.tokens.save_uses([(first.id, NOW), (second.id, NOW)])
            seen = [token.seen_at for token in await store.tokens.of_user(alice.id)]
            assert seen == [later, NOW]
