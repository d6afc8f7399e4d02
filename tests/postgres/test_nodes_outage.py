"""Crashes and outages under load: nothing acknowledged is lost, doubled or out of order.

Senders repeat what was not acknowledged, with its key, at the next node; readers go on
wherever they can; and streams just stay open.
"""

from __future__ import annotations

import random
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest

from tests.e2e.people import LosslessReader, PlainReader, Sender, check_log, check_person
from tests.postgres.nodes import Stream, running_nodes, wait_until
from tests.postgres.proxy import Proxy
from tests.postgres.server import PASSWORD, USER, PostgresServer

SENDERS = 16
READERS = 3


@pytest.fixture
def proxy(postgres):
    postgres.start()
    with Proxy(postgres.port) as proxy:
        yield proxy


@contextmanager
def people_at(nodes):
    """Have many people send and read while the block runs; then check what they have seen.

    They begin at one node each and move on to the next when theirs is away.
    """
    over = threading.Event()
    kinds = [Sender] * SENDERS + [LosslessReader] * READERS + [PlainReader] * READERS
    people = []
    for number, kind in enumerate(kinds):
        first = number % len(nodes)
        order = nodes[first:] + nodes[:first]
        people.append(kind(order, order[0].connect(), over))
    for person in people:
        person.start()
    try:
        yield [person for person in people if isinstance(person, Sender)]
    finally:
        over.set()
    for person in people:
        person.join(60)
        assert person.failure is None, person.failure
    # Those who moved on may have been served while this one had not yet come back.
    wait_until(lambda: nodes[0].request("GET", "/health")[0] == 200)
    ids = check_log(nodes[0], [person for person in people if isinstance(person, Sender)])
    for person in people:
        check_person(nodes[0], person, ids)
        person.hang_up()


def let_them_send(senders, count=100):
    """Wait until so many more messages have been acknowledged."""
    before = acknowledged(senders)
    wait_until(lambda: acknowledged(senders) >= before + count)


def acknowledged(senders):
    return sum(len(sender.acknowledged) for sender in senders)


def end_of_log(node, person):
    status, page = node.request("GET", "/status?chat_type=general&limit=1", person["token"])
    assert status == 200
    return page["messages"][-1]["id"]


def test_nodes_crash_under_load(postgres, database, tmp_path):
    """``kill -9`` of one node after the other: the people go on at the others."""
    chance = random.Random(6)
    with running_nodes(tmp_path, *[postgres.url(database)] * 3) as nodes, people_at(nodes) as them:
        for number in range(6):
            let_them_send(them)
            time.sleep(chance.uniform(0, 0.2))
            nodes[number % 3].kill()
            let_them_send(them)
            nodes[number % 3].start()


def test_the_database_crashes_under_load(postgres, database, tmp_path):
    """It ends as in a power cut, and comes back; no stream is closed, and each goes on."""
    urls = [postgres.url(database)] * 2
    with running_nodes(tmp_path, *urls) as nodes, ExitStack() as stack:
        streams = [stack.enter_context(Stream(node, node.connect()["token"])) for node in nodes]
        with people_at(nodes) as them:
            for _ in range(3):
                let_them_send(them)
                postgres.restart("immediate")
            let_them_send(them)
        carry_all(streams, nodes)


@pytest.mark.parametrize("trouble", ["cut", "refuse", "hold"])
def test_the_network_fails_under_load(postgres, database, proxy, tmp_path, trouble):
    """One node loses its database; who sends or reads there is served by the other."""
    urls = [postgres.url(database, proxy.port), postgres.url(database)]
    with running_nodes(tmp_path, *urls) as nodes, ExitStack() as stack:
        streams = [stack.enter_context(Stream(node, node.connect()["token"])) for node in nodes]
        with people_at(nodes) as them:
            # A database that hangs is found to be away after four seconds.
            for seconds in (0.2, 6 if trouble == "hold" else 1):
                let_them_send(them)
                getattr(proxy, trouble)()
                time.sleep(seconds)
                let_them_send(them)
                proxy.resume()
                wait_until(lambda: nodes[0].request("GET", "/health")[0] == 200)
        carry_all(streams, nodes)


def test_the_database_fails_over_under_load(tmp_path):
    """The replica takes over; with synchronous replication it has all that was acknowledged."""
    with PostgresServer() as primary, PostgresServer(primary=primary) as replica:
        with primary.connect() as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
        hosts = f"127.0.0.1:{primary.port},127.0.0.1:{replica.port}"
        url = f"postgresql://{USER}:{PASSWORD}@{hosts}/{primary.new_database()}"
        with running_nodes(tmp_path, url, url) as nodes, ExitStack() as stack:
            streams = [stack.enter_context(Stream(node, node.connect()["token"])) for node in nodes]
            with people_at(nodes) as them:
                let_them_send(them, 200)
                primary.stop("immediate")
                replica.promote()
                let_them_send(them, 200)
            carry_all(streams, nodes)


def carry_all(streams, nodes):
    """See that each stream is open and has brought each message once, in order."""
    reader = nodes[0].connect()
    end = end_of_log(nodes[0], reader)
    wait_until(lambda: all(stream.ids[-1:] == [end] for stream in streams))
    assert not any(stream.ended for stream in streams)
    for stream in streams:
        assert stream.ids == list(range(1, end + 1))
