"""Stopping a server whose clients would hold that up, and a start that fails."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest

from tests.e2e.server import SOON, TWISTD, Server
from tests.ports import free_port

LARGE = 70
"""So many long messages are one page."""

MANY = 10
"""So many pages are more than the buffers of a connection take."""

LATE_STORE = """
from twisted.internet.defer import fail
from twisted.plugin import IPlugin
from zope.interface import implementer

from chatter.protocol.errors import StoreUnavailable
from chatter.log.interfaces import IChatStoreMaker
from chatter.stores.memory import MemoryStore


class LateStore(MemoryStore):
    def startService(self):
        return fail(StoreUnavailable("The store went away just now."))


@implementer(IPlugin, IChatStoreMaker)
class LateStoreMaker:
    scheme = "late"
    example = "late:"

    def check_store(self, location):
        pass

    def make_store(self, location, reactor):
        return LateStore()


maker = LateStoreMaker()
"""


def get(path, token):
    return f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: {token}\r\n\r\n".encode()


def send(token, text):
    body = json.dumps({"text": text})
    head = f"POST /send HTTP/1.1\r\nHost: a\r\nAuthorization: {token}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def dial(server, data):
    """A connection on which something has been sent, and little will be taken."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(data)
    return connection


def send_much(server, token):
    for number in range(LARGE):
        text = f"{number:04} " + "\u4e2d" * 4000
        assert server.request("POST", "/send", token, {"text": text})[0] == 200


def ended_in_order(server):
    log = server.log.read_text()
    return "chatter has stopped" in log and "Traceback" not in log and "Unhandled" not in log


def test_half_a_request_does_not_hold_up_the_stop(tmp_path):
    """Clients that never get to the end of their requests are cut off in time."""
    halves = [
        b"",
        b"GET /health HTTP/1.1\r\nHo",
        b"POST /send HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{",
        b"POST /send HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"BREW / HTTP/1.1\r\n\r\n",
    ]
    with Server(tmp_path, "--store", "memory:") as server:
        connections = [dial(server, half) for half in halves]
        # Once this has its response, the server has read that.
        assert server.request("GET", "/health")[0] == 200
        assert server.stop() < SOON
        for connection in connections:
            connection.close()
    assert ended_in_order(server)


def test_a_response_that_is_not_read_does_not_hold_up_the_stop(tmp_path):
    """A poll whose response was not sent whole before the stop is repeated by the next one."""
    server = Server(tmp_path)
    with server:
        token = server.connect("alice")["token"]
        send_much(server, token)
        pages = get("/status?limit=1000&after=0", token) * MANY
        connection = dial(server, pages + get("/status?limit=1000", token))
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        assert server.stop() < SOON
        connection.close()
    assert ended_in_order(server)
    with server:
        page = server.request("GET", "/status?limit=1000", token)[1]
        assert len(page["messages"]) == LARGE


def test_while_it_stops_it_responds_but_accepts_nothing(tmp_path):
    """Requests under way get their whole response, and new connections are refused."""
    with Server(tmp_path, "--store", "memory:") as server:
        token = server.connect("alice")["token"]
        send_much(server, token)
        connection = dial(server, get("/status?limit=1000", token))
        response = connection.recv(100)
        server.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", server.port), timeout=60).close()
            except ConnectionRefusedError:
                break
            assert time.monotonic() < deadline
            time.sleep(0.02)
        while data := connection.recv(1 << 20):
            response += data
        connection.close()
        server.process.wait(60)
    head, _, body = response.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert len(json.loads(body)["messages"]) == LARGE
    assert ended_in_order(server)


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_an_impatient_operator(tmp_path, second):
    """A second signal neither hurries nor spoils the stop."""
    with Server(tmp_path) as server:
        token = server.connect("alice")["token"]
        server.request("POST", "/send", token, {"text": "hello"})
        assert len(server.request("GET", "/status", token)[1]["messages"]) == 1
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(second)
        server.process.wait(60)
    # Of a reactor that is stopped twice Twisted has a complaint of its own in the log.
    assert "chatter has stopped" in server.log.read_text()
    with server:
        assert server.request("GET", "/status", token)[1]["messages"] == []


@pytest.mark.parametrize("lock", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_database_that_another_program_locks(tmp_path, lock):
    """Sends under way get their 503, and the end comes in time and in order."""
    with Server(tmp_path) as server:
        token = server.connect("alice")["token"]
        server.request("POST", "/send", token, {"text": "hello"})
        server.request("GET", "/status", token)
        with closing(sqlite3.connect(tmp_path / "chatter.sqlite", isolation_level=None)) as other:
            other.execute(f"BEGIN {lock}")
            senders = [dial(server, send(token, "again")) for _ in range(3)]
            # Once this has its response, the server has read those.
            assert server.request("GET", "/nothing")[0] == 404
            assert server.stop() < SOON
            responses = [sender.recv(65536) for sender in senders]
            other.execute("ROLLBACK")
        for sender in senders:
            sender.close()
    assert [response[:12] for response in responses] == [b"HTTP/1.1 503"] * 3
    log = server.log.read_text()
    assert "chatter has stopped" in log
    assert "Unhandled" not in log


def test_ctrl_c_ends_it_too(tmp_path):
    """In the foreground it stops in order when it is interrupted."""
    with Server(tmp_path) as server:
        server.connect("alice")
        server.process.send_signal(signal.SIGINT)
        server.process.wait(60)
    assert ended_in_order(server)


def test_a_store_that_fails_after_all(tmp_path):
    """A store that can't be opened at the last moment: one line, status 1, nothing accepted."""
    plugins = tmp_path / "plugins" / "twisted" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "late_store.py").write_text(LATE_STORE)
    port = f"tcp:{free_port()}:interface=127.0.0.1"
    done = subprocess.run(
        [TWISTD, "-n", "--pidfile=", "chatter", "--port", port, "--store", "late:"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "plugins")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "chatter: The store went away just now.\n"
    assert "Traceback" not in done.stdout
    assert "listens" not in done.stdout


def test_an_endpoint_that_says_its_backlog(tmp_path):
    """Where a backlog is given, by name or in its place, it is taken as it is."""
    ports = [free_port(), free_port()]
    options = [
        *("--port", f"tcp:{ports[0]}:127.0.0.1:5"),
        *("--port", f"tcp:{ports[1]}:backlog=5:interface=127.0.0.1"),
    ]
    with Server(tmp_path, *options, "--store", "memory:") as server:
        for port in ports:
            server.port = port
            assert server.request("GET", "/health")[0] == 200
