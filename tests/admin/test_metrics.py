"""``GET /metrics``: what it counts, as Prometheus' own parser and promtool read it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from twisted.internet import reactor
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from chatter.admin.endpoint.metrics import MetricsResource
from chatter.admin.endpoint.root import OperatorResource
from chatter.chat import Chat
from chatter.chat.chat import core_of
from chatter.chat.limits.rate_limits import RateLimits
from chatter.chat.rates import Rate
from chatter.stores.sqlite.store import SQLiteStore
from chatter.testing import memory_chat
from chatter.web import ChatResource
from chatter.web.request_counts import CountedSite
from chatter.web.site import ChatSite
from tests.web.conftest import Response, Web

parser = pytest.importorskip("prometheus_client.parser")
ROOT = Path(__file__).parents[2]


class Server:
    """A chat with an operator, in memory."""

    def __init__(self):
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.chat = memory_chat(self.clock)
        limits = RateLimits(send=Rate(2, 60), token=None)
        resource = ChatResource(self.chat, limits=limits)
        site = CountedSite(resource, self.clock, limits=limits)
        self.users = Web(site)
        self._operator = Web(ChatSite(OperatorResource(self.chat, site), self.clock))

    def text(self):
        """What a scrape gets."""
        protocol, transport = self._operator.connect()
        protocol.dataReceived(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.clock.advance(0.01)
        response = Response(transport.value())
        assert response.status == 200, response.body
        assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        return response.body.decode()

    def samples(self):
        """All samples: their values by name and labels."""
        return samples_of(self.text())


def samples_of(text):
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def server():
    return Server()


def test_it_counts_what_users_do(server):
    """Messages and changes, requests, streams, and what a limit refuses."""
    users = server.users
    alice, _ = users.join("alice"), users.join("bob")
    users.send(alice)
    message = users.send_private(alice, 2)
    users.call("POST", "/withdraw", alice, {"message_id": message["id"]})
    assert users.call("POST", "/send", alice, {"text": "one too many"}).status == 429
    assert users.call("GET", "/status", "nobody's").status == 401
    head = f"GET /events HTTP/1.1\r\nHost: test\r\nAuthorization: {alice}\r\n\r\n"
    streams = [users.connect()[0] for _ in range(2)]
    for stream in streams:
        stream.dataReceived(head.encode())
    streams[0].connectionLost(Failure(ConnectionDone()))
    samples = server.samples()
    expected = {
        ("chatter_messages_total", "general"): 1,
        ("chatter_messages_total", "private"): 1,
        ("chatter_changes_total", "withdrawn"): 1,
        ("chatter_last_id",): 3,
        ("chatter_kept_after",): 0,
        ("chatter_requests_total", "2xx", "connect"): 2,
        ("chatter_requests_total", "2xx", "send"): 1,
        ("chatter_requests_total", "4xx", "send"): 1,
        ("chatter_requests_total", "4xx", "status"): 1,
        ("chatter_request_seconds_count", "send"): 2,
        ("chatter_request_seconds_bucket", "send", "0.001"): 2,
        ("chatter_limited_total", "send"): 1,
        ("chatter_limited_total", "join"): 0,
        ("chatter_limited_total", "report"): 0,
        ("chatter_auth_failures_total",): 1,
        ("chatter_streams",): 1,
        ("chatter_stream_ends_total", "other"): 1,
        ("chatter_stream_ends_total", "newer-stream"): 0,
        ("chatter_store_up",): 1,
        ("chatter_reader_lag",): 0,
        ("chatter_node_lag",): 0,
        ("chatter_reactor_lag_seconds",): 0,
    }
    assert {name: samples.get(name) for name in expected} == expected
    assert not any(name[:2] == ("chatter_request_seconds_count", "events") for name in samples)


def test_it_says_how_far_behind_a_stream_is(server):
    """One whose client takes nothing stays where it is."""
    alice = server.users.join("alice")
    head = f"GET /events HTTP/1.1\r\nHost: test\r\nAuthorization: {alice}\r\n\r\n"
    streams = [server.users.connect()[0] for _ in range(2)]
    for stream in streams:
        stream.dataReceived(head.encode())
    streams[0].transport.producer.pauseProducing()
    for _ in range(3):
        server.clock.advance(60)
        server.users.send(alice)
    assert server.samples()["chatter_reader_lag",] == 3
    streams[0].transport.producer.resumeProducing()
    assert server.samples()["chatter_reader_lag",] == 0


def test_no_label_comes_from_a_client(server):
    """Whatever paths are requested, there are as many series as endpoints."""
    for path in ("/", "/evil", "/chat.js", '/a"b', "/status/x"):
        server.users.call("GET", path)
    requested = {name[2] for name in server.samples() if name[0] == "chatter_requests_total"}
    assert requested == {"other", "status"}


def test_it_says_nothing_of_whom_or_what(server):
    """No name, no text and no token."""
    token = server.users.join("alice")
    server.users.send(token, "secret")
    for secret in ("alice", "secret", token):
        assert secret not in server.text()


@pytest.fixture
def promtool():
    """Runs Prometheus' own checks."""
    path = shutil.which("promtool")
    if path is None:
        pytest.skip("promtool is not installed")

    def check(what, text):
        done = subprocess.run(
            [path, "check", what, *(["/dev/stdin"] if what == "rules" else [])],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout, done.stderr

    return check


def test_promtool_is_content(server, promtool):
    """Names, units and texts are as Prometheus advises."""
    server.users.send(server.users.join("alice"))
    assert promtool("metrics", server.text()) == (0, "", "")


def test_promtool_is_content_with_the_alerts_of_the_documents(promtool):
    """They can be used as they are."""
    document = (ROOT / "docs/operating.md").read_text()
    rules = "groups:" + document.partition("groups:")[2].partition("```")[0]
    status, said, errors = promtool("rules", rules)
    assert (status, errors) == (0, "")
    assert f"{rules.count('alert:')} rules found" in said


def test_the_alerts_of_the_documents_name_metrics_that_there_are(server):
    """An alert on a metric that is not there never fires."""
    document = (ROOT / "docs/operating.md").read_text()
    server.users.send(server.users.join("alice"))
    there = {name[0] for name in server.samples()}
    named = set(re.findall(r"chatter_\w+", document.partition("groups:")[2]))
    assert named
    assert named <= there


def test_the_table_of_the_documents_has_all_metrics(server):
    """And no others; those of the process and of a store on a disk included."""
    document = (ROOT / "docs/operating.md").read_text()
    table = set(re.findall(r"`chatter_(\w+)", document.partition("groups:")[0]))
    families = parser.text_string_to_metric_families(server.text())
    there = {family.name.removeprefix("chatter_") for family in families}
    of_disk = {"commit_seconds", "batch_size", "batch_waiting", "db_bytes"}
    ours = {name for name in there if not name.startswith("process_")} | of_disk
    assert {name.removesuffix("_total") for name in table} == ours


async def test_a_store_is_measured(tmp_path, monkeypatch):
    """How long its batches take, how large they are, how large it is, and whether it is ahead."""

    async def ahead():
        return 8, None

    chat = Chat(SQLiteStore(tmp_path / "chat", reactor), reactor)
    site = CountedSite(ChatResource(chat), reactor)
    await chat.startService()
    try:
        metrics = MetricsResource(core_of(chat), site)
        await chat.send(await chat.join("alice"), "Hello!")
        samples = samples_of((await metrics.respond(cast("Any", None))).body.decode())
        monkeypatch.setattr(metrics._store, "end", ahead)
        behind = samples_of((await metrics.respond(cast("Any", None))).body.decode())
    finally:
        await chat.stopService()
    assert samples["chatter_messages_total", "general"] == 1
    assert samples["chatter_commit_seconds_count",] >= 2
    assert samples["chatter_batch_size_sum",] >= 2
    assert samples["chatter_batch_waiting",] == 0
    assert samples["chatter_db_bytes",] > 4096
    assert (samples["chatter_last_id",], samples["chatter_node_lag",]) == (1, 0)
    assert (behind["chatter_last_id",], behind["chatter_node_lag",]) == (1, 7)


def test_without_prometheus_client(server, monkeypatch):
    """One line says what to install; all else works."""
    monkeypatch.setitem(sys.modules, "prometheus_client.exposition", None)
    response = server._operator.call("GET", "/metrics", headers={"Host": "localhost"})
    assert response.problem == "not-found"
    assert "pip install 'chatter-server[metrics]'" in response.json["detail"]
