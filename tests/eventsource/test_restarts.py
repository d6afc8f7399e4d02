"""Clients that nobody here wrote follow a server that ends, crashes and comes back."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.server import Server
from tests.eventsource.environment import chromium, node_with_eventsource
from tests.eventsource.pages import WITH_EVENT_SOURCE, WITH_FETCH, serving

HERE = Path(__file__).parent
TIMEOUT = 60.0


class Follower:
    """A process that follows, and prints the id and the data of each event.

    :ivar lines: what it has printed and nobody has waited for.
    :ivar complaints: what a browser says, such as that a connection was refused.
    """

    def __init__(self, command, token):
        self.events: list[Any] = []
        self.complaints: queue.Queue[str] = queue.Queue()
        self.lines: queue.Queue[str] = queue.Queue()
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        assert self._process.stdin is not None
        self._process.stdin.write(token)
        self._process.stdin.close()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        assert self._process.stdout is not None
        for line in self._process.stdout:
            (self.complaints if line.startswith("browser:") else self.lines).put(line)

    def wait_for(self, message):
        """Wait until a message has come."""
        while not self.events or self.events[-1]["id"] < message["id"]:
            line = self.lines.get(timeout=TIMEOUT)
            event_id, _, data = line.partition(" ")
            assert event_id.isdigit(), line
            self.events.append(json.loads(data))
            assert self.events[-1]["id"] == int(event_id)

    def end(self):
        self._process.terminate()
        self._process.wait(60)
        self._reader.join(60)
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def npm_eventsource(server, token):
    """The package ``eventsource`` of npm."""
    yield [*node_with_eventsource(), f"http://127.0.0.1:{server.port}"]


@contextmanager
def httpx_sse(server, token):
    """The package ``httpx-sse`` of PyPI."""
    yield [sys.executable, HERE / "follow_httpx.py", f"http://127.0.0.1:{server.port}"]


@contextmanager
def page_with_fetch(server, token):
    """A page of another origin, with what docs/protocol.md shows, in a browser."""
    browse = [sys.executable, HERE / "browse.py", chromium()]
    with serving(WITH_FETCH) as origin:
        server.options += ("--origin", origin)
        yield [*browse, origin, f"http://127.0.0.1:{server.port}"]


@contextmanager
def browsers_own(server, token):
    """The browser's ``EventSource``, through a proxy that puts the token in."""
    browse = [sys.executable, HERE / "browse.py", chromium()]
    with serving(WITH_EVENT_SOURCE, server.port, token) as origin:
        yield [*browse, origin, "-"]


@pytest.mark.parametrize(
    "client", [npm_eventsource, httpx_sse, page_with_fetch, browsers_own], ids=lambda c: c.__name__
)
def test_a_follower_misses_nothing_and_gets_nothing_twice(tmp_path, client):
    """It comes back by itself after an end and after a crash, and goes on where it was."""
    server = Server(tmp_path)
    with server:
        alice, bob, carol = (server.connect(name) for name in ("alice", "bob", "carol"))
    sent: list[Any] = []

    def send(count):
        for number in range(count):
            text = f"{len(sent)}: line 1\nline 2\u2028line 3 🙂"
            _, message = server.request("POST", "/send", alice["token"], {"text": text})
            sent.append(message)
            if number % 3 == 0:
                body = {"text": "for carol only", "recipient_id": carol["user_id"]}
                server.request("POST", "/send-private", alice["token"], body)
                body = {"text": "for bob", "recipient_id": bob["user_id"]}
                sent.append(server.request("POST", "/send-private", alice["token"], body)[1])

    with client(server, bob["token"]) as command, server:
        send(5)
        follower = Follower(command, bob["token"])
        try:
            follower.wait_for(sent[-1])
            for end in (server.stop, server.kill):
                send(5)
                end()
                server.start()
                send(5)
                follower.wait_for(sent[-1])
                send(5)
                follower.wait_for(sent[-1])
        finally:
            follower.end()
        assert follower.events == sent
        assert follower.lines.empty()
    assert "Traceback" not in server.log.read_text()


def test_a_page_is_told_when_its_token_is_no_good(tmp_path):
    """What docs/protocol.md shows ends with the error instead of asking for ever."""
    server = Server(tmp_path, "--store", "memory:")
    with page_with_fetch(server, "") as command, server:
        follower = Follower(command, "nobody's")
        try:
            assert follower.lines.get(timeout=TIMEOUT) == "ended: Unauthorized\n"
        finally:
            follower.end()


def test_a_page_of_an_origin_that_was_not_named_reads_nothing(tmp_path):
    """Its requests fail in the browser, whatever its token."""
    server = Server(tmp_path, "--store", "memory:")
    with server:
        alice = server.connect("alice")
        server.request("POST", "/send", alice["token"], {"text": "hello"})
        with serving(WITH_FETCH) as origin:
            url = f"http://127.0.0.1:{server.port}"
            command = [sys.executable, HERE / "browse.py", chromium(), origin, url]
            follower = Follower(command, alice["token"])
            try:
                while "CORS policy" not in follower.complaints.get(timeout=TIMEOUT):
                    pass
            finally:
                follower.end()
