"""What a user has open ends at every node: after a ban, and after a token was revoked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

from tests.e2e.crowd import KeepingServer
from tests.postgres.nodes import Stream, running_nodes, wait_until


@pytest.fixture(scope="module")
def nodes(postgres, tmp_path_factory):
    """Two nodes, where mod moderates."""
    with postgres.lent_database() as database:
        urls = [postgres.url(database)] * 2
        folder = tmp_path_factory.mktemp("moderated")
        with running_nodes(folder, *urls, kind=KeepingServer) as nodes:
            yield nodes


@pytest.fixture(scope="module")
def mod(nodes):
    moderator = nodes[0].connect("mod")
    nodes[0].make_moderator("mod")
    return moderator["token"]


@contextmanager
def all_open(nodes, person):
    """Somebody has an event stream and a poll that waits at each node; both, to look at."""
    token = person["token"]
    with ThreadPoolExecutor(len(nodes)) as threads, ExitStack() as stack:
        streams = [stack.enter_context(Stream(node, token)) for node in nodes]
        polls = [threads.submit(node.request, "GET", "/status?wait=50", token) for node in nodes]
        yield streams, polls


def is_served(node, token):
    return node.request("GET", "/status", token)[0] == 200


def test_a_ban_ends_all_at_every_node(nodes, mod):
    """Streams are cut, polls get the ban, and so does each request; others notice nothing."""
    alice, bob = nodes[0].connect(), nodes[1].connect()
    with Stream(nodes[1], alice["token"]) as of_alice, all_open(nodes, bob) as (streams, polls):
        body = {"user_id": bob["user_id"], "action": "ban", "seconds": 3600}
        status, change = nodes[0].request("POST", "/moderate", mod, body)
        assert (status, change["change"]) == (200, "standing")
        wait_until(lambda: all(stream.ended for stream in streams))
        for poll in polls:
            status, problem = poll.result(60)
            assert (status, problem["type"]) == (403, "urn:chatter:banned")
            assert problem["until"] == change["banned_until"]
        for node in nodes:
            assert node.request("GET", "/status", bob["token"])[0] == 403
        assert not of_alice.ended
    body["action"] = "unban"
    assert nodes[1].request("POST", "/moderate", mod, body)[0] == 200
    for node in nodes:
        wait_until(partial(is_served, node, bob["token"]))


def test_a_revoked_token_is_nobodys_at_every_node(nodes):
    """What is open ends, and with another token the user goes on at once."""
    bob = nodes[0].connect()
    status, other = nodes[0].request("POST", "/tokens", bob["token"], {"label": "phone"})
    assert status == 200
    with all_open(nodes, bob) as (streams, polls):
        assert nodes[1].request("POST", "/disconnect", bob["token"])[0] == 200
        wait_until(lambda: all(stream.ended for stream in streams))
        assert [poll.result(60)[0] for poll in polls] == [401, 401]
        for node in nodes:
            assert node.request("GET", "/status", bob["token"])[0] == 401
            assert node.request("GET", "/status", other["token"])[0] == 200
