"""Two nodes behind nginx, with the configuration that docs/nginx.conf recommends."""

from __future__ import annotations

import shutil
import time
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.server import Server
from tests.postgres.nodes import Stream, running_nodes, wait_until
from tests.postgres.proxy import Proxy

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin")
CONFIGURATION = Path(__file__).parents[2] / "docs" / "nginx.conf"

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

# What a system's nginx.conf brings along, without its paths.
AROUND = """
daemon off;
pid {folder}/nginx.pid;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {configuration}
}}
"""


class Nginx(Server):
    """nginx, which is asked as a node is."""

    def __init__(self, folder, nodes):
        super().__init__(folder)
        configuration = CONFIGURATION.read_text()
        ports = {":8001": f":{nodes[0].port}", ":8002": f":{nodes[1].port}"}
        for written, actual in {**ports, "listen 80;": f"listen 127.0.0.1:{self.port};"}.items():
            assert configuration.count(written) == 1
            configuration = configuration.replace(written, actual)
        whole = folder / "nginx.conf"
        whole.write_text(AROUND.format(folder=folder, configuration=configuration))
        self._command = [
            str(NGINX),
            "-p",
            str(folder),
            "-c",
            str(whole),
            "-e",
            str(folder / "errors"),
        ]


@pytest.fixture
def nodes(postgres, database, tmp_path):
    with running_nodes(tmp_path, *[postgres.url(database)] * 2) as nodes:
        yield nodes


@pytest.fixture
def nginx(nodes, tmp_path):
    with Nginx(tmp_path, nodes) as nginx:
        yield nginx


def send(server, person, text, key=None):
    headers = {} if key is None else {"Idempotency-Key": key}
    return server.request("POST", "/send", person["token"], {"text": text}, headers)


def heard(stream, count):
    return len(stream.ids) == count


def test_a_chat_through_nginx(nginx, nodes):
    """Whoever asks nginx is in the chat, and both nodes serve."""
    alice, bob = nginx.connect("alice"), nginx.connect("bob")
    for number in range(10):
        assert send(nginx, alice, f"message {number}")[0] == 200
    _, page = nginx.request("GET", f"/status?after={bob['cursor']}", bob["token"])
    assert [message["text"] for message in page["messages"]] == [f"message {n}" for n in range(10)]
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
            began = time.monotonic()
            send(nginx, alice, "news")
            wait_until(partial(heard, stream, number))
            assert time.monotonic() - began < 0.5


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
        while send(nginx, alice, f"{number}", key=f"{number}")[0] != 200:
            time.sleep(0.01)
        assert nginx.request("GET", "/status?after=0", alice["token"])[0] == 200
    (broken,) = (stream for stream in streams if stream.ended)
    with Stream(nginx, alice["token"], after=broken.ids[-1]) as again:
        wait_until(lambda: len(again.ids) == 20)
        assert broken.ids + again.ids == list(range(1, 22))
    for stream in streams:
        stream.close()


def test_a_node_without_its_database_is_passed_over(postgres, database, tmp_path):
    """What can be asked again without harm is answered by the other node."""
    with (
        Proxy(postgres.port) as proxy,
        running_nodes(
            tmp_path, postgres.url(database, proxy.port), postgres.url(database)
        ) as nodes,
        Nginx(tmp_path, nodes) as nginx,
    ):
        alice = nginx.connect()
        proxy.refuse()
        wait_until(lambda: nodes[0].request("GET", "/health")[0] == 503)
        for _ in range(20):
            assert nginx.request("GET", "/users", alice["token"])[0] == 200
