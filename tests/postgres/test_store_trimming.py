"""What is no longer kept in PostgreSQL: every node knows it, and one of them deletes."""

from __future__ import annotations

import psycopg

from chatter.protocol.model import Draft
from chatter.stores.postgres import tail, trimming
from chatter.testing.waiting import join
from tests.postgres.support import NOW, eventually, opened, working

LOSE = """
    DELETE FROM log WHERE id > 3;
    UPDATE log_end SET last_id = 3, kept_after = 0, identity = 'new'
"""
CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database()
"""


async def send(store, user, number, key=None):
    return [await store.append(Draft(user.id, None, f"{n}", NOW, key)) for n in range(number)]


def ids_in(url):
    """What is still in the table."""
    with psycopg.connect(url) as connection:
        return [number for (number,) in connection.execute("SELECT id FROM log ORDER BY id")]


async def test_a_node_that_has_not_heard_of_it_learns_it_by_reading(url, monkeypatch):
    """So no reader takes what is left for all that there was, however soon it was deleted."""
    monkeypatch.setattr(tail, "LOOK_INTERVAL", 3600)
    async with opened(url, url) as (here, there):
        (alice,) = await join(here, "alice")
        sent = await send(here, alice, 4)
        await there.append(Draft(alice.id, None, "b", NOW))
        heard: list[int] = []
        there.trimmed = heard.append
        await here.trim(sent[2].id)
        await eventually(lambda: ids_in(url)[0] == sent[3].id)
        assert there.kept_after == 0
        found = await there.read_feed(alice.id, 0, 10)
        assert [message.id for message in found] == [sent[3].id, sent[3].id + 1]
        assert there.kept_after == sent[2].id
        assert heard == [sent[2].id]


async def test_every_node_hears_of_it(url):
    """Also one that nobody reads at, within about a second, and one that starts later."""
    async with opened(url, url) as (here, there):
        (alice,) = await join(here, "alice")
        sent = await send(here, alice, 3)
        heard: list[int] = []
        there.trimmed = heard.append
        await here.trim(sent[1].id)
        await eventually(lambda: heard == [sent[1].id])
        async with opened(url) as (later,):
            assert later.kept_after == sent[1].id


async def test_what_is_gone_is_deleted_bit_by_bit(url, monkeypatch):
    """By one node at a time; after a restart it goes on where it was."""
    monkeypatch.setattr(trimming, "SLICE", 2)
    with psycopg.connect(url) as other:
        async with opened(url, url) as nodes:
            (alice,) = await join(nodes[0], "alice")
            sent = await send(nodes[0], alice, 9)
            other.execute("SELECT pg_advisory_lock('log'::regclass::oid::bigint)")
            await nodes[0].trim(sent[6].id)
            await eventually(lambda: nodes[1].kept_after == sent[6].id)
            assert await nodes[1].read_general(None, 10) == sent[7:]
            assert ids_in(url) == [message.id for message in sent]
        other.execute("SELECT pg_advisory_unlock_all()")
    async with opened(url, url) as nodes:
        await eventually(lambda: ids_in(url) == [message.id for message in sent[7:]])
        assert await nodes[0].read_general(None, 10) == sent[7:]


async def test_a_key_can_be_used_again_when_its_message_is_deleted(url):
    """Until then it brings the first message."""
    async with opened(url) as (node,):
        (alice,) = await join(node, "alice")
        (first,) = await send(node, alice, 1, "key")
        (second,) = await send(node, alice, 1)
        await node.trim(first.id)
        await eventually(lambda: ids_in(url) == [second.id])
        (again,) = await send(node, alice, 1, "key")
        assert again.id == second.id + 1


async def test_that_messages_are_gone_may_be_lost_too(url):
    """A failover may bring back what was no longer kept; it can be trimmed again."""
    async with opened(url) as (node,):
        (alice,) = await join(node, "alice")
        with psycopg.connect(url) as connection:
            # Nothing is deleted meanwhile.
            connection.execute("SELECT pg_advisory_xact_lock('log'::regclass::oid::bigint)")
            sent = await send(node, alice, 5)
            await node.trim(sent[1].id)
            rewinds: list[int] = []
            node.rewound = rewinds.append
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(LOSE)
            connection.execute(CUT)
        await eventually(lambda: rewinds == [3])
        await working(node)
        assert node.kept_after == 0
        left = [m.id for m in await node.read_general(None, 10)]
        assert left[-1] == sent[2].id
        await node.trim(sent[2].id)
        assert await node.read_general(None, 10) == []
        assert (await send(node, alice, 1))[0].id == 6
        await eventually(lambda: ids_in(url) == [6])
