"""``twistd chatter``: its options, what it refuses, its start and its end."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from tests.e2e.server import SOON, TWISTD, Server
from tests.ports import free_port


def run(folder, *options, daemon=False):
    """Start it in a way that must fail."""
    how = ["--logfile=twistd.log"] if daemon else ["-n", "--pidfile="]
    return subprocess.run(
        [TWISTD, *how, "chatter", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_help_explains_every_option(tmp_path):
    """``--help`` names each option with an example."""
    done = run(tmp_path, "--help")
    assert done.returncode == 0
    # The help is wrapped, also behind a hyphen.
    words = " ".join(done.stdout.split()).replace("- ", "-")
    for option in ("--port", "--store", "--history", "--access-log", "--origin", "--max-streams"):
        assert f"{option}=" in words
        assert f"Example: {option} " in words


def test_the_version(tmp_path):
    """``--version`` is chatter's."""
    assert run(tmp_path, "--version").stdout.startswith("chatter ")


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """A server, whose port and database no other one can have."""
    with Server(tmp_path_factory.mktemp("taken")) as server:
        yield server


@pytest.mark.parametrize("daemon", [False, True])
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--port", "tcp:x"), "tcp:x"),
        (("--store", "sqlite:{locked}", "--port", "0"), "another chatter"),
        (("--port", "{port}", "--store", "memory:"), "{port}"),
    ],
)
def test_what_can_not_work_is_said_in_one_line(tmp_path, taken, options, reason, daemon):
    """It ends at once, with one clear line and a status that is not 0."""
    port = taken.port
    locked = taken.folder / "chatter.sqlite"
    options = [option.format(port=port, locked=locked) for option in options]
    done = run(tmp_path, *options, daemon=daemon)
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if "chatter: " in line]
    assert len(said) == 1, done.stderr
    assert reason.format(port=port) in said[0]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "twistd.pid").exists()


def test_an_access_log_that_can_not_be_written(tmp_path):
    """That is said like the other reasons not to start."""
    done = run(tmp_path, "--store", "memory:", "--port", "0", "--access-log", "missing/log")
    assert done.returncode == 1
    assert done.stderr == f"chatter: {tmp_path}/missing/log: No such file or directory\n"


def test_several_ports(tmp_path):
    """It listens wherever it is told to, also on a UNIX socket."""
    port = free_port()
    more = ("--port", f"tcp:{port}:interface=127.0.0.1", "--port", f"unix:{tmp_path}/socket")
    with Server(tmp_path, *more, "--store", "memory:"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200
        connection.close()
        with socket.socket(socket.AF_UNIX) as unix:
            unix.connect(str(tmp_path / "socket"))
            unix.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert unix.recv(1000).startswith(b"HTTP/1.1 200")


def test_the_default_is_a_file_in_the_folder(tmp_path):
    """Without ``--store`` everything is kept in chatter.sqlite, and is there again."""
    server = Server(tmp_path)
    server.start()
    token = server.connect("alice")["token"]
    server.request("POST", "/send", token, {"text": "hello"})
    assert len(server.request("GET", "/status", token)[1]["messages"]) == 1
    assert server.stop() < SOON
    assert (tmp_path / "chatter.sqlite").exists()
    with server:
        assert server.request("POST", "/connect", token)[1]["name"] == "alice"
        assert server.request("GET", "/status", token)[1]["messages"] == [], "the cursor was saved"


def test_a_number_of_messages_for_new_users(tmp_path):
    """``--history`` says how many messages wait for a new user."""
    with Server(tmp_path, "--store", "memory:", "--history", "3") as server:
        token = server.connect()["token"]
        for number in range(5):
            server.request("POST", "/send", token, {"text": f"{number}"})
        new = server.connect()["token"]
        page = server.request("GET", "/status", new)[1]
        assert [message["text"] for message in page["messages"]] == ["2", "3", "4"]


def test_a_limit_holds_over_restarts(tmp_path):
    """``--limit general=…`` is counted from the log, with the default store."""
    server = Server(tmp_path, "--limit", "general=3/3600")
    with server:
        token = server.connect()["token"]
        said = [server.request("POST", "/send", token, {"text": f"{n}"})[0] for n in range(2)]
        assert said == [200, 200]
    with server:
        said = [server.request("POST", "/send", token, {"text": f"{n}"})[0] for n in range(2)]
        assert said == [200, 429]


def test_a_stop_under_load_responds_to_what_is_under_way(tmp_path):
    """Whatever was acknowledged before the end is there after it, and the end comes soon."""
    server = Server(tmp_path)
    server.start()
    token = server.connect()["token"]
    acknowledged = []

    def send():
        number = 0
        while True:
            try:
                status, message = server.request("POST", "/send", token, {"text": f"{number}"})
            except (OSError, http.client.HTTPException):
                return
            assert status == 200
            acknowledged.append(message["id"])
            number += 1

    senders = [threading.Thread(target=send) for _ in range(8)]
    for sender in senders:
        sender.start()
    idle = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    waiting = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    waiting.sendall(
        f"GET /status?wait=60&after=999999 HTTP/1.1\r\nHost: a\r\n"
        f"Authorization: {token}\r\n\r\n".encode()
    )
    stream = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    stream.sendall(f"GET /events HTTP/1.1\r\nHost: a\r\nAuthorization: {token}\r\n\r\n".encode())
    assert stream.recv(100).startswith(b"HTTP/1.1 200")
    deadline = time.monotonic() + 60
    while len(acknowledged) <= 10:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert server.stop() < SOON
    for sender in senders:
        sender.join(60)
    head, _, body = waiting.recv(65536).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert json.loads(body)["messages"] == []
    for connection in (idle, waiting, stream):
        connection.close()
    log = server.log.read_text()
    assert "Traceback" not in log
    assert "chatter has stopped" in log
    with server:
        ids = []
        page = {"cursor": 0, "more": True}
        while page["more"]:
            path = f"/status?after={page['cursor']}&limit=1000"
            page = server.request("GET", path, token)[1]
            ids += [message["id"] for message in page["messages"]]
        assert set(acknowledged) <= set(ids)


def test_what_is_in_the_log_and_what_is_not(tmp_path):
    """Start, address, store and end are in the log; tokens, texts and names are not."""
    with Server(tmp_path, "--access-log", "access.log") as server:
        token = server.connect("Rumpelstiltskin")["token"]
        server.request("POST", "/send", token, {"text": "my secret"})
        server.request("POST", "/send", token, {"text": ""})
        server.request("GET", "/status", "wrong")
    log, access = server.log.read_text(), (tmp_path / "access.log").read_text()
    assert "chatter.sqlite" in log
    assert str(server.port) in log
    assert "chatter has stopped" in log
    assert '"POST /send HTTP/1.1" 200' in access
    for secret in (token, "my secret", "Rumpelstiltskin"):
        assert secret not in log + access


def test_no_access_log_unless_asked_for(tmp_path):
    """Requests leave no trace in the log."""
    with Server(tmp_path, "--store", "memory:") as server:
        server.connect()
    assert "/connect" not in server.log.read_text()


@pytest.mark.skipif(shutil.which("kill") is None, reason="no kill")
def test_a_daemon(tmp_path):
    """As a daemon it starts, serves and ends, and takes its pid file along."""
    port = free_port()
    options = ["--port", f"tcp:{port}:interface=127.0.0.1"]
    command = [TWISTD, "--logfile=twistd.log", "chatter", *options]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    pid_file = tmp_path / "twistd.pid"
    server = Server(tmp_path)
    server.port = port
    deadline = time.monotonic() + 60
    while True:
        try:
            assert server.request("GET", "/health")[0] == 200
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    import os

    os.kill(int(pid_file.read_text()), signal.SIGTERM)
    while pid_file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
