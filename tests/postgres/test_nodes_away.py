"""A node whose database is away says so at once, keeps its streams, and recovers by itself."""

from __future__ import annotations

import http.client
import time
from contextlib import contextmanager, suppress

import pytest

from tests.e2e.server import SOON, Server
from tests.postgres.nodes import Stream, running_nodes, wait_until
from tests.postgres.proxy import Proxy
from tests.postgres.server import PASSWORD

PATIENCE = 30
"""So many seconds it may take until a busy node finds that its database hangs."""

AT_ONCE = 3
"""So many seconds it may take once that is known."""


@pytest.fixture
def proxy(postgres):
    postgres.start()
    with Proxy(postgres.port) as proxy:
        yield proxy


@pytest.fixture
def node(postgres, database, proxy, tmp_path):
    """A node that reaches its database through the proxy."""
    with running_nodes(tmp_path, postgres.url(database, proxy.port)) as (node,):
        yield node


def call(node, method, path, token, body=None):
    """The status, how long to wait before the next try, and how long the response took."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60)
    try:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request(method, path, body, headers)
        result = connection.getresponse()
        result.read()
        return result.status, result.getheader("Retry-After"), time.monotonic() - began
    finally:
        connection.close()


def each_request(node, token, stranger):
    """The responses to all kinds of requests, those that need the database."""
    return [
        call(node, "POST", "/send", token, '{"text": "hello"}'),
        call(node, "GET", "/status?chat_type=general", token),
        call(node, "GET", "/users", token),
        call(node, "POST", "/connect", "", "{}"),
        call(node, "GET", "/status", stranger),
        call(node, "GET", "/health", token),
    ]


@pytest.mark.parametrize("trouble", ["stopped", "refused", "hung"])
def test_while_the_database_is_away(node, proxy, postgres, trouble):
    """Everything that needs it gets 503 at once, until it is back; then all goes on."""
    person = node.connect()
    token = person["token"]
    node.request("POST", "/send", token, {"text": "before"})
    with Stream(node, token, after=0) as stream:
        if trouble == "stopped":
            postgres.stop("fast")
        elif trouble == "refused":
            proxy.refuse()
        else:
            proxy.hold()
        status, retry_after, seconds = call(node, "POST", "/send", token, '{"text": "unknown"}')
        assert status == 503
        assert int(retry_after) >= 1
        assert seconds < PATIENCE

        waits = []
        for _ in range(3):
            rejections = each_request(node, token, "f" * 64)
            for status, retry_after, _ in rejections:
                assert status == 503
                assert int(retry_after) >= 1
            waits.append([seconds for *_, seconds in rejections])
            time.sleep(0.7)
        # A machine that has much else to do stops for a while, but not each time.
        assert max(map(min, zip(*waits, strict=True))) < AT_ONCE

        proxy.resume()
        postgres.start()
        took = wait_until(lambda: node.request("GET", "/health")[0] == 200)
        assert took < PATIENCE
        status, message = node.request("POST", "/send", token, {"text": "after"})
        assert status == 200
        wait_until(lambda: message["id"] in stream.ids)
        assert not stream.ended
    assert stream.ids == list(range(1, message["id"] + 1))


def test_many_who_need_a_hung_database_get_responses_together(node, proxy):
    """What waits when it is found to hang gets 503 then, and nothing piles up behind it."""
    token = node.connect()["token"]
    connections = [
        http.client.HTTPConnection("127.0.0.1", node.port, timeout=60) for _ in range(50)
    ]
    proxy.hold()
    began = time.monotonic()
    for connection in connections:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request("POST", "/send", '{"text": "hello"}', headers)
        time.sleep(0.01)
    for connection in connections:
        with connection.getresponse() as result:
            assert result.status == 503
        connection.close()
    assert time.monotonic() - began < PATIENCE
    proxy.resume()


@pytest.mark.parametrize("known", [True, False])
def test_a_stop_while_the_database_hangs(node, proxy, known):
    """It ends in time, whether it has noticed or not, with requests under way.

    On a machine that has nothing else to do that is within 5 seconds.
    """
    token = node.connect()["token"]
    stream = Stream(node, token)
    proxy.hold()
    if known:
        assert call(node, "POST", "/send", token, '{"text": "hello"}')[0] == 503
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request("POST", "/send", '{"text": "hello"}', headers)
    # Once this has its response, the server has read that.
    assert node.request("GET", "/nothing")[0] == 404
    assert node.stop() < SOON
    connection.close()
    stream.close()
    proxy.resume()
    assert "chatter has stopped" in node.log.read_text()


def test_nodes_that_start_at_once_on_an_empty_database(postgres, database, tmp_path):
    """One of them makes the schema, the others find it, and all serve."""
    with running_nodes(tmp_path, *[postgres.url(database)] * 4) as nodes:
        person = nodes[0].connect()
        ids = [
            node.request("POST", "/send", person["token"], {"text": "hello"})[1]["id"]
            for node in nodes
        ]
        assert ids == [1, 2, 3, 4]


def test_chats_in_schemas_of_one_database_are_apart(postgres, database, tmp_path):
    """The search_path of the URL says whose tables a node has; users, ids and news are its own."""
    with postgres.connect(database) as connection:
        connection.execute("CREATE SCHEMA one; CREATE SCHEMA two")
    urls = [f"{postgres.url(database)}?options=-csearch_path%3D{name}" for name in ("one", "two")]
    with running_nodes(tmp_path, *urls) as nodes:
        for node in nodes:
            person = node.connect("alice")
            sent = node.request("POST", "/send", person["token"], {"text": "hello"})[1]
            page = node.request("GET", "/status", person["token"])[1]
            assert page["messages"] == [sent]
            assert (person["user_id"], sent["id"]) == (1, 1)


@pytest.mark.parametrize("trouble", ["refuse", "hold"])
def test_a_start_without_a_database_waits_for_it(postgres, database, proxy, tmp_path, trouble):
    """It serves 503 soon, says why in the log without the password, and goes on by itself."""
    getattr(proxy, trouble)()
    with started(tmp_path, postgres.url(database, proxy.port)) as server:
        wait_until(lambda: health(server) == 503)
        proxy.resume()
        wait_until(lambda: health(server) == 200)
        assert server.connect("alice")["user_id"] == 1
    said = server.log.read_text()
    assert "Traceback" not in said
    assert PASSWORD not in said
    assert said.count("is away for reading") == 1


@contextmanager
def started(folder, url):
    """A node that is not waited for until it serves."""
    server = Server(folder, "--store", url)
    server.launch()
    try:
        yield server
    finally:
        server.__exit__()


def health(server):
    """The status of its health, if it listens already."""
    with suppress(OSError, http.client.HTTPException):
        return server.request("GET", "/health")[0]
