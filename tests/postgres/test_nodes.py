"""Several servers on one database are one chat, whichever of them a request goes to."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.e2e.server import Server
from tests.postgres.nodes import Stream, running_nodes, wait_until


@pytest.fixture(scope="module")
def database(postgres):
    """A database that the nodes of this file share."""
    with postgres.lent_database() as name:
        yield name


@pytest.fixture(scope="module")
def nodes(postgres, database, tmp_path_factory):
    """Three nodes, which have found the database empty."""
    urls = [postgres.url(database)] * 3
    with running_nodes(tmp_path_factory.mktemp("nodes"), *urls) as nodes:
        yield nodes


@pytest.fixture
def alice(nodes):
    """Somebody who has joined at the first node."""
    return nodes[0].connect()


def send(node, person, text, key=None):
    headers = {} if key is None else {"Idempotency-Key": key}
    status, message = node.request("POST", "/send", person["token"], {"text": text}, headers)
    assert status == 200, message
    return message


def poll(node, person, query=""):
    status, page = node.request("GET", f"/status{query}", person["token"])
    assert status == 200, page
    return [message["text"] for message in page["messages"]]


def at_once(act, nodes):
    """Send to all nodes in the same moment; their responses."""
    start = threading.Barrier(len(nodes), timeout=60)

    def run(node):
        start.wait()
        return act(node)

    with ThreadPoolExecutor(len(nodes)) as threads:
        return list(threads.map(run, nodes))


def test_joined_at_one_heard_at_another(nodes, alice):
    """What is sent through one node comes at once to who follows or waits at others."""
    first, second, third = nodes
    bob = second.connect()
    results = []

    def wait_for_news():
        results.append(poll(third, bob, "?wait=50"))

    with Stream(third, alice["token"]) as stream:
        waiting = threading.Thread(target=wait_for_news)
        waiting.start()
        time.sleep(0.2)
        message = send(second, alice, "hello from afar")
        wait_until(lambda: message["id"] in stream.ids)
        waiting.join(60)
    assert results == [["hello from afar"]]
    assert poll(first, alice, f"?after={message['id'] - 1}") == ["hello from afar"]


def test_a_private_message_reaches_the_two_of_it_alone(nodes, alice):
    """It comes to its recipient at another node, and to nobody else there."""
    _, second, third = nodes
    bob, carol = second.connect(), third.connect()
    with Stream(second, bob["token"]) as bobs, Stream(second, carol["token"]) as carols:
        body = {"text": "for bob", "recipient_id": bob["user_id"]}
        status, message = third.request("POST", "/send-private", alice["token"], body)
        assert status == 200
        end = send(nodes[0], alice, "for all")
        wait_until(lambda: end["id"] in bobs.ids and end["id"] in carols.ids)
    assert message["id"] in bobs.ids
    assert message["id"] not in carols.ids


def test_a_token_is_good_at_each_node(nodes, alice):
    """Whoever comes back to another node is the same user, and reads on from the same place."""
    for node in nodes:
        status, again = node.request("POST", "/connect", alice["token"])
        assert status == 200
        assert again["user_id"] == alice["user_id"]


def test_a_name_is_given_once(nodes):
    """A name that somebody took at one node is taken at the others, whatever its case."""
    nodes[0].connect("Dorothea")
    for node in nodes:
        status, problem = node.request("POST", "/connect", body={"name": "DOROTHEA"})
        assert (status, problem["type"]) == (409, "urn:chatter:name-taken")


def test_a_name_wanted_at_once_at_all_is_given_once(nodes):
    """Who comes to several nodes in the same moment for one name gets it from one."""
    for number in range(10):
        body = {"name": f"wanted {number}"}
        results = at_once(partial(Server.request, method="POST", path="/connect", body=body), nodes)
        assert sorted(status for status, _ in results) == [200, 409, 409]


def test_a_key_sends_once(nodes, alice):
    """A send that is repeated at another node with its key gets the first message."""
    message = send(nodes[0], alice, "once", key="k")
    for node in nodes:
        assert send(node, alice, "once", key="k") == message


def test_a_key_used_at_once_at_all_sends_once(nodes, alice):
    """Repetitions that overtake each other are one message, too."""
    for number in range(20):
        act = partial(send, person=alice, text=f"{number}", key=f"at-once-{number}")
        messages = at_once(act, nodes)
        assert len({message["id"] for message in messages}) == 1
    assert poll(nodes[0], alice, "?limit=1000") == [str(number) for number in range(20)]


def test_what_was_read_at_one_is_read_at_all(nodes, alice, postgres, database):
    """The cursor is the user's, not the node's; a node saves it just after its response."""
    first, second, third = nodes
    bob = first.connect()

    def wait_until_saved(message):
        with postgres.connect(database) as connection:
            cursor = "SELECT cursor FROM users WHERE id = %s"
            wait_until(
                lambda: connection.execute(cursor, [bob["user_id"]]).fetchone() == (message["id"],)
            )

    message = send(first, alice, "one")
    assert poll(second, bob, "?wait=50") == ["one"]
    wait_until_saved(message)
    assert poll(third, bob) == []
    message = send(first, alice, "two")
    assert poll(first, bob, f"?after={message['id']}") == []
    wait_until_saved(message)
    assert poll(second, bob) == []


def test_read_with_after_it_never_comes_twice_at_any_node(nodes, alice):
    """The lossless poll needs no pause between nodes: its client says where it is."""
    bob = nodes[0].connect()
    sent, read, cursor = [], [], bob["cursor"]
    for number in range(60):
        sent.append(send(nodes[number % 3], alice, f"{number}")["text"])
        node = nodes[(number + 1) % 3]
        _, page = node.request("GET", f"/status?after={cursor}&wait=50", bob["token"])
        read += [message["text"] for message in page["messages"]]
        cursor = page["cursor"]
    assert read == sent


def test_plain_polls_that_alternate_quickly_skip_nothing(nodes, alice):
    """A node may not know yet what another has just acknowledged, so something may come again."""
    bob = nodes[0].connect()
    sent, read = [], []
    for number in range(60):
        sent.append(send(nodes[number % 3], alice, f"{number}")["text"])
        read += poll(nodes[(number + 1) % 3], bob)

    def caught_up():
        read.extend(poll(nodes[0], bob))
        return sent[-1] in read

    wait_until(caught_up)
    assert list(dict.fromkeys(read)) == sent


def test_who_is_there_is_told_by_each(nodes, alice, postgres, database):
    """A user who is held at one node is online at the others, once it was told."""
    _, second, third = nodes

    def told_as_online():
        _, result = third.request(
            "GET", f"/users?after={alice['user_id'] - 1}&limit=1", alice_elsewhere["token"]
        )
        return result["users"][0]["online"]

    alice_elsewhere = third.connect()
    assert told_as_online()
    long_ago = "UPDATE users SET last_seen = now() - interval '1 hour' WHERE id = %s"
    with Stream(second, alice["token"]), postgres.connect(database) as connection:

        def told_as_offline():
            # The node may only now save that the stream has begun.
            connection.execute(long_ago, [alice["user_id"]])
            return not told_as_online()

        wait_until(told_as_offline)
    wait_until(told_as_online)
