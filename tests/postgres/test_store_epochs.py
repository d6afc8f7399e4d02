"""Which log it is: what a node does when the end of the log is lost, and when nothing is."""

from __future__ import annotations

import psycopg
import pytest
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from chatter.log.lineage import Lineage
from chatter.protocol.model import Draft
from chatter.testing.waiting import join
from tests.postgres.nodes import wait_until
from tests.postgres.server import PASSWORD, USER, PostgresServer
from tests.postgres.support import NOW, eventually, opened, working

CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"


LOSE = "DELETE FROM messages WHERE id > {0}; UPDATE log_end SET last_id = {0}, identity = 'new'"


def lose(url, after):
    """Lose the end of the log, and all connections, as a failover to a late replica does."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(LOSE.format(after).encode())
        connection.execute(f"{CUT} AND datname = current_database()".encode())


async def send(store, user, number):
    return [await store.append(Draft(user.id, None, f"{n}", NOW)) for n in range(number)]


def rewinds_of(*nodes):
    """What each node says was lost, as it comes, and where the log ends for it then."""
    for node in nodes:
        node.rewinds = []
        node.ends = []

        def rewound(last_id, node=node):
            node.rewinds.append(last_id)
            Deferred.fromCoroutine(node.last_id()).addCallback(node.ends.append)

        node.rewound = rewound


async def test_a_node_notices_that_the_end_is_lost(url, logged):
    """It says so loudly, gives no id again, and tells what is new."""
    async with opened(url) as (node,):
        (alice,) = await join(node, "alice")
        sent = await send(node, alice, 5)
        before = node.lineage
        rewinds_of(node)
        lose(url, 3)
        await eventually(lambda: node.rewinds)
        await working(node)
        assert node.rewinds == node.ends == [3]
        assert node.lineage.shared(before.current, 5) == 3
        (new,) = await send(node, alice, 1)
        assert new.id == 6
        assert await node.read_feed(alice.id, 3, 10) == [new]
        await eventually(lambda: node.told == [*sent, new])
        assert node.lineage.shared(node.lineage.current, 6) == 6
    loud = [event for event in logged if event["log_level"].name == "critical"]
    assert len(loud) == 1
    assert (loud[0]["last_id"], loud[0]["reported"]) == (3, 5)


async def test_all_nodes_notice(url):
    """Whichever connects first; each tells what is new in place of what was lost."""
    async with opened(url, url) as (here, there):
        (alice,) = await join(here, "alice")
        sent = await send(here, alice, 5)
        await eventually(lambda: there.told == sent)
        before = here.lineage
        rewinds_of(here, there)
        lose(url, 2)
        for node in (here, there):
            await eventually(lambda node=node: node.rewinds == [2])
            await working(node)
        (new,) = await send(there, alice, 1)
        assert new.id == 6
        for node in (here, there):
            await eventually(lambda node=node: node.told == [*sent, new])
            assert node.lineage.shared(before.current, 5) == 2
            assert node.lineage.shared(before.current, 1) == 1
        assert here.lineage.current == there.lineage.current


async def test_a_node_that_was_behind_gets_what_is_new_with_ids_that_others_have_seen(url):
    """A node that had told less gives an id again that it can't know of; the other goes back."""
    async with opened(url) as (ahead,):
        (alice,) = await join(ahead, "alice")
        sent = await send(ahead, alice, 3)
        rewinds_of(ahead)
        # It is kept from coming back until another node has written.
        connect = ahead._connected.reader._database.open
        error = OSError("not yet")

        def fail():
            raise error

        ahead._database.open = fail
        lose(url, 1)
        async with opened(url) as (behind,):
            (new,) = await send(behind, alice, 1)
            assert new.id == 2
            ahead._database.open = connect
            await working(ahead)
            assert ahead.rewinds == [1]
            await eventually(lambda: ahead.told == [*sent, new])
            (newer,) = await send(behind, alice, 1)
            assert newer.id == 4
            await eventually(lambda: ahead.told == [*sent, new, newer])


async def test_cursors_go_back_with_the_log(url):
    """What was read of the lost end is not taken for read in the new one."""
    async with opened(url) as (node,):
        (alice,) = await join(node, "alice")
        await send(node, alice, 3)
        rewinds_of(node)
        node._progress._interval = 60.0
        node.save_progress(alice.id, 3, NOW)
        lose(url, 1)
        await eventually(lambda: node.rewinds)
        await working(node)
        assert await node.cursor(alice.id) <= 1


async def test_a_restart_of_the_server_moves_nobody(postgres, url):
    """The epoch is another one; nothing is told again, nothing is lost."""
    async with opened(url, url) as nodes:
        here, there = nodes
        (alice,) = await join(here, "alice")
        sent = await send(here, alice, 3)
        await eventually(lambda: there.told == sent)
        before = here.lineage
        rewinds_of(here, there)
        await deferToThread(postgres.restart, "immediate")
        for node in nodes:
            await working(node)
        new = await send(here, alice, 2)
        for node in nodes:
            await eventually(lambda node=node: node.told == [*sent, *new])
            assert node.rewinds == []
            assert node.lineage.current != before.current
            assert node.lineage.shared(before.current, 3) == 3
        assert here.lineage.current == there.lineage.current


async def test_a_copy_that_is_restored_is_another_log(postgres, database):
    """Also in the same server: positions beyond the copy are moved back to its end."""
    url = postgres.socket_url(database)
    async with opened(url) as (node,):
        (alice,) = await join(node, "alice")
        await send(node, alice, 2)
    with postgres.connect() as connection:
        connection.execute(f"CREATE DATABASE {database}_copy TEMPLATE {database}".encode())
    async with opened(url) as (node,):
        await send(node, alice, 3)
        known = node.lineage.current
    async with opened(postgres.socket_url(f"{database}_copy")) as (node,):
        assert await node.last_id() == 2
        await send(node, alice, 3)
        assert node.lineage.shared(known, 5) == 2
        copied = node.lineage.current
    async with opened(url) as (node,):
        assert node.lineage.shared(known, 5) == 5
        assert node.lineage.shared(copied, 5) == 2
    with postgres.connect() as connection:
        connection.execute(f"DROP DATABASE {database}_copy".encode())


async def test_a_log_that_is_packed_is_the_same_log(url):
    """It gets a new file, which is no reason for a new epoch."""
    async with opened(url) as (node,):
        (alice,) = await join(node, "alice")
        await send(node, alice, 2)
        known = node.lineage.current
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM FULL log")
            connection.execute("CLUSTER log USING messages_pkey")
        await send(node, alice, 1)
    async with opened(url) as (node,):
        assert node.lineage.current == known


@pytest.mark.parametrize(
    "table", ["CREATE TABLE log (LIKE kept INCLUDING ALL)", "TRUNCATE log; TRUNCATE log_end"]
)
async def test_data_that_are_restored_make_another_log(url, table):
    """With the tables, or into those that were emptied; the server goes on meanwhile."""
    async with opened(url) as (node,):
        (alice,) = await join(node, "alice")
        await send(node, alice, 2)
    restore = f"""
        CREATE TABLE kept (LIKE log INCLUDING ALL); INSERT INTO kept SELECT * FROM log;
        CREATE TABLE kept_end AS TABLE log_end;
        {"DROP TABLE log CASCADE;" if table.startswith("CREATE") else ""} {table};
        INSERT INTO log SELECT * FROM kept;
        DELETE FROM log_end; INSERT INTO log_end SELECT * FROM kept_end
    """
    async with opened(url) as (node,):
        await send(node, alice, 3)
        known = node.lineage.current
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(restore.encode())
    async with opened(url) as (node,):
        assert node.lineage.current != known


async def test_a_new_database_has_nothing_in_common(postgres, url):
    """Who has read another log starts from the beginning."""
    async with opened(url) as (node,):
        (alice,) = await join(node, "alice")
        await send(node, alice, 2)
        known = node.lineage.current
    with postgres.lent_database() as other:
        async with opened(postgres.url(other)) as (node,):
            assert node.lineage.shared(known, 2) == 0
            assert isinstance(node.lineage, Lineage)


async def test_a_server_of_the_last_version_begins_epochs_too(url):
    """What it writes after a restore is written after the epoch began, by the function itself."""
    async with opened(url) as (node,):
        (alice,) = await join(node, "alice")
        await send(node, alice, 2)
        known = node.lineage.current
    draft = f'[{{"sender_id": {alice.id}, "text": "a", "sent_at": "2026-01-01T00:00:00Z"}}]'
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE log_end SET identity = 'another one'")
        connection.execute(
            "SELECT last_id, earlier, added FROM write_batch(%s, NULL, NULL)", (draft,)
        )
    async with opened(url) as (node,):
        assert await node.last_id() == 3
        assert node.lineage.shared(known, 3) == 2


async def test_a_failover_to_a_replica_that_has_not_all(logged):
    """The node was warned of it, goes back to what the replica has, and goes on there."""
    with PostgresServer() as primary, PostgresServer(primary=primary) as replica:
        hosts = f"127.0.0.1:{primary.port},127.0.0.1:{replica.port}"
        url = f"postgresql://{USER}:{PASSWORD}@{hosts}/{primary.new_database()}"
        async with opened(url) as (node,):
            warnings = [event for event in logged if "synchronous_standby_names" in str(event)]
            assert len(warnings) == 1
            (alice,) = await join(node, "alice")
            sent = await send(node, alice, 3)
            await deferToThread(follow_no_more, primary, replica)
            sent += await send(node, alice, 4)
            before = node.lineage
            rewinds_of(node)
            await deferToThread(primary.stop, "immediate")
            await deferToThread(replica.promote)
            await working(node)
            await eventually(lambda: node.rewinds == [3])
            (new,) = await send(node, alice, 1)
            assert new.id == 8
            await eventually(lambda: node.told == [*sent, new])
            assert await node.read_feed(alice.id, 0, 10) == [*sent[:3], new]
            assert node.lineage.shared(before.current, 7) == 3


def follow_no_more(primary, replica):
    """Let the replica have what the primary has now, and nothing more."""
    with primary.connect() as ahead, replica.connect() as behind:
        ((end,),) = ahead.execute("SELECT pg_current_wal_lsn()").fetchall()
        has_all = "SELECT pg_last_wal_replay_lsn() >= %s"
        wait_until(lambda: behind.execute(has_all, (end,)).fetchone() == (True,))
        behind.execute("ALTER SYSTEM SET primary_conninfo = ''")
        behind.execute("SELECT pg_reload_conf()")
        receivers = "SELECT count(*) FROM pg_stat_wal_receiver"
        wait_until(lambda: behind.execute(receivers).fetchone() == (0,))
