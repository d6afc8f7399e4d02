"""What is special about the store in PostgreSQL: several servers are one chat."""

from __future__ import annotations

import sys
from datetime import timedelta

import pytest
from twisted.internet import reactor

from chatter.protocol.errors import NameTaken, StoreUnavailable
from chatter.protocol.model import Draft, User
from chatter.stores.postgres import PostgresStore, tail
from chatter.stores.registry import check_store, make_store, without_password
from chatter.testing.waiting import all_of, join, outcomes_of
from tests.postgres.server import PASSWORD
from tests.postgres.support import NOW, cursor_of, eventually, opened, working


async def test_two_nodes_append_to_one_log(url):
    """Ids have no gaps, and both listeners are told of every message once, in their order."""
    async with opened(url, url) as nodes:
        (alice,) = await join(nodes[0], "alice")
        sent = []
        for number in range(20):
            sent += await all_of(
                node.append(Draft(alice.id, None, f"{number}", NOW))
                for node in nodes
                for _ in range(5)
            )
        log = await nodes[0].read_feed(alice.id, 0, 1000)
        assert [message.id for message in log] == list(range(1, 201))
        assert sorted(sent, key=lambda message: message.id) == log
        for node in nodes:
            await eventually(lambda node=node: len(node.told) == len(log))
            assert node.told == log


async def test_a_message_is_told_before_it_is_acknowledged(url):
    """Also when others have written meanwhile, of whom the listener has to hear first."""
    async with opened(url, url) as nodes:
        (alice,) = await join(nodes[0], "alice")

        async def send(node, number):
            message = await node.append(Draft(alice.id, None, f"{number}", NOW))
            assert message in node.told
            return message

        for number in range(50):
            await all_of(send(node, number) for node in nodes)


async def test_a_private_message_is_told_at_every_node(url, monkeypatch):
    """A node keeps what is told at hand for everybody, so it is told everything, at once."""
    monkeypatch.setattr(tail, "LOOK_INTERVAL", 3600)
    async with opened(url, url) as (here, there):
        alice, bob = await join(here, "alice", "bob")
        message = await here.append(Draft(alice.id, bob.id, "psst", NOW))
        await eventually(lambda: there.told == [message])
        assert await there.last_id() == message.id


async def test_a_key_is_one_message_at_all_nodes(url):
    """A retry at another node gets the first message, also at the same time."""
    async with opened(url, url, url) as nodes:
        (alice,) = await join(nodes[0], "alice")
        for number in range(10):
            draft = Draft(alice.id, None, "once", NOW, f"key {number}")
            results = await all_of(node.append(draft) for node in nodes for _ in range(3))
            assert len(set(results)) == 1
        assert len(await nodes[1].read_feed(alice.id, 0, 100)) == 10


async def test_users_are_the_same_at_all_nodes(url):
    """Names are given once, tokens hold everywhere, and everybody sees the same users."""
    async with opened(url, url) as nodes:
        outcomes = await outcomes_of(
            node.add_user("Alice", bytes([number] * 32), 0, NOW)
            for number, node in enumerate(nodes * 3)
        )
        (alice,) = [outcome for outcome in outcomes if isinstance(outcome, User)]
        assert sum(isinstance(outcome, NameTaken) for outcome in outcomes) == 5
        number = outcomes.index(alice)
        for node in nodes:
            assert (await node.tokens.find(bytes([number] * 32)))[1] == alice
            assert await node.users(0, 10) == [alice]


async def test_a_cursor_moves_at_all_nodes(url):
    """Where a user has read at one node they go on at another, and nowhere back."""
    later = NOW + timedelta(minutes=1)
    async with opened(url, url) as (here, there):
        (alice,) = await join(here, "alice")
        here.save_progress(alice.id, 7, later)
        assert await here.cursor(alice.id) == 7
        await eventually(lambda: cursor_of(there, alice, 7))
        there.save_progress(alice.id, 5, NOW)
        there.save_progress(alice.id, 9, NOW)
        await eventually(lambda: cursor_of(here, alice, 9))
        assert await here.users(0, 1) == [User(alice.id, "alice", later)]


async def test_what_was_read_of_a_chat_is_read_at_all_nodes(url):
    """A mark that is stored at one node is seen at another one, and never goes back."""
    async with opened(url, url) as (here, there):
        alice, bob = await join(here, "alice", "bob")
        private = await here.append(Draft(bob.id, alice.id, "a", NOW))
        general = await there.append(Draft(bob.id, None, "b", NOW))
        await all_of(
            node.mark_read(alice.id, other_id, message_id)
            for node in (here, there)
            for other_id in (bob.id, None)
            for message_id in (private.id, 0 if node is here else general.id)
        )
        for node in (here, there):
            chats = await node.chats(alice.id, 0, None, 10)
            assert [(chat.recipient_id, chat.read, chat.unread) for chat in chats] == [
                (None, general.id, 0),
                (bob.id, general.id, 0),
            ]


async def test_what_arrives_together_is_one_query(url, monkeypatch):
    """All that one turn of the reactor writes is one statement, all cursors are another one."""
    async with opened(url) as (store,):
        (alice,) = await join(store, "alice")
        asked = []

        def listening(link):
            run = link.run

            async def listened(queries):
                asked.append(len(queries))
                return await run(queries)

            monkeypatch.setattr(link, "run", listened)

        listening(store._connected.writer)
        await all_of(store.append(Draft(alice.id, None, f"{n}", NOW)) for n in range(100))
        assert asked == [1]
        asked.clear()
        listening(store._connected.reader)
        await all_of(store.cursor(alice.id) for _ in range(100))
        assert asked == [1]


async def test_more_than_the_socket_takes_at_once(url):
    """Long texts, more of them than a batch has, go there and back in parts."""
    async with opened(url) as (store,):
        (alice,) = await join(store, "alice")
        text = "\U0001f600" * 4096
        sent = await all_of(store.append(Draft(alice.id, None, text, NOW)) for _ in range(1200))
        assert store.told == sent
        assert await store.read_feed(alice.id, 0, 1000) == sent[:1000]


async def test_a_batch_of_all_kinds_has_results_in_its_order(url):
    """Messages, keys, names and cursors of one batch each get their own result."""
    async with opened(url) as (store,):
        alice, bob = await join(store, "alice", "bob")
        first = await store.append(Draft(alice.id, None, "first", NOW, "key"))
        store.save_progress(bob.id, 1, NOW)
        results = await outcomes_of(
            (
                store.append(Draft(bob.id, alice.id, "a", NOW)),
                store.add_user("Bob", None, 0, NOW),
                store.append(Draft(alice.id, None, "b", NOW, "key")),
                store.add_user("carol", None, 0, NOW),
                store.append(Draft(bob.id, None, "c", NOW, "key")),
                store.append(Draft(bob.id, None, "d", NOW, "key")),
                store.add_user("CAROL", None, 0, NOW),
            )
        )
        a, taken, b, carol, c, d, taken_too = results
        assert (a.id, a.text, b, c.id, c.text) == (2, "a", first, 3, "c")
        assert d == c
        assert isinstance(taken, NameTaken)
        assert isinstance(taken_too, NameTaken)
        assert await store.users(0, 10) == [alice, bob, carol]
        assert store.told == [first, a, c]


async def test_an_id_is_given_once_even_if_the_database_forgot(postgres, database, url):
    """After a fail-over to a replica that had not got all, ids go on after what was seen."""
    async with opened(url) as (store,):
        (alice,) = await join(store, "alice")
        for number in range(3):
            await store.append(Draft(alice.id, None, f"{number}", NOW))
        with postgres.connect(database) as connection:
            connection.execute("DELETE FROM messages WHERE id > 1")
            connection.execute("UPDATE log_end SET last_id = 1")
            pid = store._connected.writer.backend_pid
            connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
        await eventually(lambda: store._connected.writer.backend_pid not in (None, pid))
        message = await store.append(Draft(alice.id, None, "new", NOW))
        assert message.id == 4
        assert [told.id for told in store.told] == [1, 2, 3, 4]


# Passwords


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("postgresql://ann:s3cret@db/chat", "postgresql://ann:***@db/chat"),
        ("postgresql://ann:s3:cr@/e?t@db:5432/chat", "postgresql://ann:***@db:5432/chat"),
        ("postgresql://db/chat?user=a&password=s3cret", "postgresql://db/chat?user=a&password=***"),
        ("postgresql://ann@db:5432/chat", "postgresql://ann@db:5432/chat"),
        ("sqlite:a:b@c", "sqlite:a:b@c"),
    ],
)
def test_a_location_is_shown_without_its_password(location, shown):
    """Everything else stays, so that one sees which store it is."""
    assert without_password(location) == shown


def test_no_rejection_shows_the_password(postgres, database):
    """What can't be opened or makes no sense is said in one line, without the password."""
    good = postgres.url(database)
    wrong = [
        (good.replace("chatter:", "nobody:"), StoreUnavailable),
        (good.replace(database, "missing"), StoreUnavailable),
        (good + "?nonsense=1", ValueError),
        (good.replace(f":{postgres.port}", ":port"), StoreUnavailable),
        (good.replace("postgresql:", "postgresq:"), ValueError),
        (good.replace("//", ""), ValueError),
    ]
    for location, error in wrong:
        with pytest.raises(error) as raised:
            check_store(location)
        assert PASSWORD not in str(raised.value)
        assert "\n" not in str(raised.value)


def test_a_server_that_is_away_may_be_there_later(postgres, database):
    """To be away is no reason not to start."""
    good = postgres.url(database)
    check_store(good.replace(f":{postgres.port}", ":1"))
    check_store(good.replace("127.0.0.1", "no.such.host.invalid"))


def test_a_store_is_chosen_by_its_scheme():
    """Both of libpq's schemes are known."""
    for scheme in ("postgresql", "postgres"):
        assert isinstance(make_store(f"{scheme}://db/chat", reactor), PostgresStore)


def test_what_has_to_be_installed_is_said(monkeypatch):
    """Without psycopg there is one line, which says how to get it."""
    for module in [name for name in sys.modules if name.startswith("chatter.stores.postgres")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreUnavailable) as raised:
        check_store("postgresql://db/chat")
    assert "pip install 'chatter-server[postgres]'" in raised.value.detail
    assert "\n" not in raised.value.detail


async def test_what_postgresql_refuses_fails_alone(url):
    """Neither the session nor what is written and read at the same time ends with it."""
    async with opened(url) as (store,):
        (alice,) = await join(store, "alice")
        pid = store._connected.writer.backend_pid
        refused, kept = await outcomes_of(
            store.append(Draft(alice.id, None, text, NOW)) for text in ("NUL: \0", "kept")
        )
        assert isinstance(refused, Exception)
        assert not isinstance(refused, StoreUnavailable)
        assert store.told == [kept]
        assert await store.read_feed(alice.id, 0, 10) == [kept]
        assert store._connected.writer.backend_pid == pid


async def test_a_revoked_token_is_told_of_at_every_node(url):
    """Once, soon; and a node that was cut off is told when it is back, of what it has missed."""
    async with opened(url, url) as (here, there):
        told: tuple[list[int], list[int]] = ([], [])
        for node, ids in zip((here, there), told, strict=True):
            node.tokens.revoked = ids.append
        alice = await here.add_user("alice", b"a" * 32, 0, NOW)
        bob = await here.add_user("bob", b"b" * 32, 0, NOW)
        await here.tokens.revoke(alice.id, None)
        await eventually(lambda: told == ([alice.id], [alice.id]))
        assert await there.tokens.find(b"a" * 32) is None
        there._connected.writer.renew("the test wants it")
        await here.tokens.revoke(bob.id, None)
        await working(there)
        await eventually(lambda: told == ([alice.id, bob.id], [alice.id, bob.id]))


async def test_a_node_that_starts_is_told_of_no_earlier_revocation(url):
    """It knows no token yet."""
    async with opened(url) as (here,):
        alice = await here.add_user("alice", b"a" * 32, 0, NOW)
        await here.tokens.revoke(alice.id, None)
        async with opened(url) as (there,):
            told: list[int] = []
            there.tokens.revoked = told.append
            there._connected.writer.renew("the test wants it")
            await working(there)
            assert told == []


async def test_tokens_of_nodes_of_an_earlier_version(url, postgres, database):
    """Those whom they add can be found here, and they find no token that was revoked."""
    async with opened(url) as (node,):
        with postgres.connect(database) as connection:
            connection.execute(
                "INSERT INTO users (name, folded_name, token_hash, cursor, last_seen, joined_at)"
                " VALUES ('alice', 'alice', decode(repeat('61', 32), 'hex'), 0, now(), now())"
            )
            found = await node.tokens.find(b"a" * 32)
            assert found is not None
            await node.tokens.revoke(found[1].id, found[0].id)
            (row,) = connection.execute("SELECT token_hash FROM users").fetchall()
            assert row == (None,)


async def test_an_erased_user_is_told_of_at_every_node(url):
    """In the order of the log; nobody gets the name at any of them."""
    async with opened(url, url) as (here, there):
        alice = await here.add_user("Älice", b"a" * 32, 0, NOW)
        entry = await here.erasure.begin(alice.id, NOW)
        await eventually(lambda: there.told == [entry])
        assert await there.tokens.find(b"a" * 32) is None
        refused, other = await outcomes_of(
            (there.add_user("älice", None, 0, NOW), there.add_user("bob", None, 0, NOW))
        )
        assert isinstance(refused, NameTaken)
        assert isinstance(other, User)
