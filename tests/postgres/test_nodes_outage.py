"""Crashes and outages under load: nothing acknowledged is lost, doubled or out of order.

People repeat what was not acknowledged at the next node, sends with their key; readers go on
wherever they can; and streams just stay open.
"""

from __future__ import annotations

import random
import time
from contextlib import ExitStack, contextmanager

import pytest

from tests.e2e.crowd import TIMES_AS_LONG, Crowd, KeepingServer
from tests.postgres.nodes import Stream, running_nodes, wait_until
from tests.postgres.proxy import Proxy
from tests.postgres.server import PASSWORD, USER, PostgresServer


@pytest.fixture
def proxy(postgres):
    postgres.start()
    with Proxy(postgres.port) as proxy:
        yield proxy


@contextmanager
def crowd_at(nodes):
    """Have many people do what they do while the block runs; then check what they have seen."""
    with Crowd(nodes, senders=16, readers=2) as crowd:
        yield crowd
    # Those who moved on may have been served while this one had not yet come back.
    wait_until(lambda: all(node.request("GET", "/health")[0] == 200 for node in nodes))
    crowd.check()


def let_them_send(crowd, count=100):
    """Wait until so many more messages have been acknowledged."""
    before = acknowledged(crowd)
    wait_until(lambda: acknowledged(crowd) >= before + count)


def acknowledged(crowd):
    return sum(len(sender.acknowledged) for sender in crowd.senders)


def test_nodes_crash_under_load(postgres, database, tmp_path):
    """``kill -9`` of one node after the other: the people go on at the others."""
    chance = random.Random(6)
    urls = [postgres.url(database)] * 3
    with running_nodes(tmp_path, *urls, kind=KeepingServer) as nodes, crowd_at(nodes) as crowd:
        for number in range(6 * TIMES_AS_LONG):
            let_them_send(crowd)
            crowd.trim(chance)
            time.sleep(chance.uniform(0, 0.2))
            nodes[number % 3].kill()
            let_them_send(crowd)
            nodes[number % 3].start()


def test_the_database_crashes_under_load(postgres, database, tmp_path):
    """It ends as in a power cut, and comes back; no stream is closed, and each goes on."""
    chance = random.Random(7)
    urls = [postgres.url(database)] * 2
    with running_nodes(tmp_path, *urls, kind=KeepingServer) as nodes, ExitStack() as stack:
        streams = [stack.enter_context(Stream(node, node.connect()["token"])) for node in nodes]
        with crowd_at(nodes) as crowd:
            for _ in range(3 * TIMES_AS_LONG):
                let_them_send(crowd)
                crowd.trim(chance)
                postgres.restart("immediate")
            let_them_send(crowd)
        carry_all(streams, nodes, crowd)


@pytest.mark.parametrize("trouble", ["cut", "refuse", "hold"])
def test_the_network_fails_under_load(postgres, database, proxy, tmp_path, trouble):
    """One node loses its database; who sends or reads there is served by the other."""
    chance = random.Random(8)
    urls = [postgres.url(database, proxy.port), postgres.url(database)]
    with running_nodes(tmp_path, *urls, kind=KeepingServer) as nodes, ExitStack() as stack:
        streams = [stack.enter_context(Stream(node, node.connect()["token"])) for node in nodes]
        with crowd_at(nodes) as crowd:
            # A database that hangs is found to be away after four seconds.
            for seconds in (0.2, 6 if trouble == "hold" else 1) * TIMES_AS_LONG:
                let_them_send(crowd)
                crowd.trim(chance)
                getattr(proxy, trouble)()
                time.sleep(seconds)
                let_them_send(crowd)
                proxy.resume()
                wait_until(lambda: nodes[0].request("GET", "/health")[0] == 200)
        carry_all(streams, nodes, crowd)


def test_the_database_fails_over_under_load(tmp_path):
    """The replica takes over; with synchronous replication it has all that was acknowledged."""
    with PostgresServer() as primary, PostgresServer(primary=primary) as replica:
        with primary.connect() as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
        hosts = f"127.0.0.1:{primary.port},127.0.0.1:{replica.port}"
        url = f"postgresql://{USER}:{PASSWORD}@{hosts}/{primary.new_database()}"
        nodes_at = running_nodes(tmp_path, url, url, kind=KeepingServer)
        with nodes_at as nodes, ExitStack() as stack:
            streams = [stack.enter_context(Stream(node, node.connect()["token"])) for node in nodes]
            with crowd_at(nodes) as crowd:
                let_them_send(crowd, 200)
                primary.stop("immediate")
                replica.promote()
                let_them_send(crowd, 200)
            carry_all(streams, nodes, crowd)


def carry_all(streams, nodes, crowd):
    """See that each stream is open and has brought each message once, in order."""
    body = {"text": "the last one"}
    _, last = nodes[0].request("POST", "/send", nodes[0].connect()["token"], body)
    wait_until(lambda: all(stream.ids[-1:] == [last["id"]] for stream in streams))
    assert not any(stream.ended for stream in streams)
    for stream in streams:
        assert stream.ids == sorted(set(stream.ids))
        crowd.check_read(stream.ids[:-1], stream.gaps)
