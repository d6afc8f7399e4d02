"""Two nodes behind nginx, with the configuration that docs/nginx.conf recommends."""

from __future__ import annotations

import time
from functools import partial

import pytest

from tests.e2e.nginx import Nginx, documented, needs_nginx
from tests.ports import free_port
from tests.postgres.nodes import Stream, running_nodes, wait_until
from tests.postgres.proxy import Proxy

pytestmark = needs_nginx


def nginx_before(nodes, folder):
    """An nginx that has two nodes."""
    port = free_port()
    changes = {f":800{number}": f":{node.port}" for number, node in enumerate(nodes, 1)}
    changes["listen 80;"] = f"listen 127.0.0.1:{port};"
    return Nginx(folder, documented("nginx.conf", changes), port)


@pytest.fixture
def nodes(postgres, database, tmp_path):
    with running_nodes(tmp_path, *[postgres.url(database)] * 2) as nodes:
        yield nodes


@pytest.fixture
def nginx(nodes, tmp_path):
    with nginx_before(nodes, tmp_path) as nginx:
        yield nginx


def send(server, person, text, key=None):
    headers = {} if key is None else {"Idempotency-Key": key}
    return server.request("POST", "/send", person["token"], {"text": text}, headers)


def is_sent(server, person, text):
    return send(server, person, text, key=text)[0] == 200


def heard(stream, count):
    return len(stream.ids) == count


def test_a_chat_through_nginx(nginx, nodes):
    """Clients of nginx are in the chat, and both nodes serve."""
    alice, bob = nginx.connect("alice"), nginx.connect("bob")
    for number in range(10):
        assert send(nginx, alice, f"message {number}")[0] == 200
    texts = [f"message {number}" for number in range(10)]

    def has_all():
        """The other node hears of a message a little later."""
        _, page = nginx.request("GET", f"/status?after={bob['cursor']}", bob["token"])
        return [message["text"] for message in page["messages"]] == texts

    wait_until(has_all)
    assert nginx.request("POST", "/connect", body={"name": "Alice"})[0] == 409
    streams = [Stream(nginx, alice["token"]) for _ in range(4)]
    wait_until(lambda: all(stream.ids[-1:] == [10] for stream in streams))
    # Half of them end when the one node does.
    nodes[0].kill()
    wait_until(lambda: sum(stream.ended for stream in streams) == 2)
    time.sleep(0.2)
    assert sum(stream.ended for stream in streams) == 2
    for stream in streams:
        stream.close()


def test_events_are_passed_on_at_once(nginx):
    """A stream is not buffered on the way."""
    alice, bob = nginx.connect(), nginx.connect()
    with Stream(nginx, bob["token"]) as stream:
        for number in range(1, 6):
            send(nginx, alice, "news")
            wait_until(partial(heard, stream, number))


def test_a_node_that_is_gone_is_passed_over(nginx, nodes):
    """While one node is down, all requests are served; a stream is taken up where it ended."""
    alice = nginx.connect()
    streams = [Stream(nginx, alice["token"], after=0) for _ in range(2)]
    send(nginx, alice, "before")
    wait_until(lambda: all(stream.ids for stream in streams))
    nodes[0].kill()
    wait_until(lambda: any(stream.ended for stream in streams))
    for number in range(20):
        # The connection may be lost with a send under way: that one is for the client to repeat.
        wait_until(partial(is_sent, nginx, alice, f"{number}"))
        assert nginx.request("GET", "/status?after=0", alice["token"])[0] == 200
    (broken,) = (stream for stream in streams if stream.ended)
    with Stream(nginx, alice["token"], after=broken.ids[-1]) as again:
        wait_until(lambda: len(again.ids) == 20)
        assert broken.ids + again.ids == list(range(1, 22))
    for stream in streams:
        stream.close()


def test_a_node_without_its_database_is_passed_over(postgres, database, tmp_path):
    """What can be sent again without harm is served by the other node."""
    with (
        Proxy(postgres.port) as proxy,
        running_nodes(
            tmp_path, postgres.url(database, proxy.port), postgres.url(database)
        ) as nodes,
        nginx_before(nodes, tmp_path) as nginx,
    ):
        alice = nginx.connect()
        proxy.refuse()
        wait_until(lambda: nodes[0].request("GET", "/health")[0] == 503)
        for _ in range(20):
            assert nginx.request("GET", "/users", alice["token"])[0] == 200
