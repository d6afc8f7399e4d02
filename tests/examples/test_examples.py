"""The examples run, as they stand."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.server import TWISTD, Server, call
from tests.ports import free_port

EXAMPLES = Path(__file__).parents[2] / "examples"
PORT = "tcp:8080:interface=127.0.0.1"


@contextmanager
def running(*command):
    """A process, which has nothing to complain of."""
    # Twisted leaves the file open that it keeps in reserve.
    strictly = ["-W", "error", "-W", "ignore::ResourceWarning"]
    process = subprocess.Popen(
        [sys.executable, *strictly, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        _, complaints = process.communicate(timeout=60)
        assert complaints == ""


def run(name, *arguments):
    """An example as a program."""
    return running(EXAMPLES / name, *arguments)


def run_by_twistd(name, port, folder):
    """An example as an application, which listens on another port than usual."""
    copy = folder / name
    copy.write_text((EXAMPLES / name).read_text().replace(PORT, port))
    options = ("--nodaemon", "--pidfile=", f"--logfile={folder}/log", f"--rundir={folder}")
    return running(TWISTD, *options, "--python", copy)


@contextmanager
def serving(start, *arguments):
    """An example that serves; yields how to ask it, and what it prints.

    :param start: is given the place to listen, and starts it.
    """
    port = free_port()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with start(f"tcp:{port}:interface=127.0.0.1") as process:
        deadline = time.monotonic() + 60
        while True:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=60).close()
                break
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield partial(call, connection), process.stdout
        connection.close()


def test_embedding():
    """A page, and two chats beside it, of which one does not know the other's users."""
    with serving(partial(run, "embedding.py")) as (call, _):
        token = call("POST", "/chat/connect")[1]["token"]
        assert call("GET", "/chat/status", token)[0] == 200
        assert call("GET", "/staff/status", token)[0] == 401
        assert call("POST", "/staff/connect")[1]["user_id"] == 1
        assert call("HEAD", "/")[0] == 200


def test_accounts(tmp_path):
    """Who has signed in is a user of the chat; no page of another site sends in that name."""
    with serving(lambda port: run_by_twistd("accounts.py", port, tmp_path)) as (call, _):
        cookies = []
        for name in ("alice", "bob"):
            connection = http.client.HTTPConnection(
                call.args[0].host, call.args[0].port, timeout=60
            )
            connection.request("POST", f"/login?name={name}")
            response = connection.getresponse()
            cookies.append({"Cookie": response.headers["Set-Cookie"].partition(";")[0]})
            connection.close()
        alice, bob = cookies
        connected = call("POST", "/chat/connect", headers=alice)[1]
        assert connected["name"] == "alice"
        assert "token" not in connected
        assert call("POST", "/chat/send", body={"text": "Hello"}, headers=alice)[0] == 200
        page = call("GET", "/chat/status", headers=bob)[1]
        assert [message["text"] for message in page["messages"]] == ["Hello"]
        for nobody in ({}, {"Cookie": "session=guessed"}, {"Authorization": alice["Cookie"]}):
            assert call("POST", "/chat/connect", headers=nobody)[0] == 401
            assert call("GET", "/chat/status", headers=nobody)[0] == 401
        foreign = {**alice, "Origin": "https://elsewhere.example"}
        assert call("POST", "/chat/send", body={"text": "Ha"}, headers=foreign)[0] == 403


def test_chat(tmp_path):
    """The file is all that twistd needs."""
    with serving(lambda port: run_by_twistd("chat.tac", port, tmp_path)) as (call, _):
        assert call("POST", "/connect")[0] == 200
    assert (tmp_path / "chat.sqlite").exists()
    assert "chatter has stopped" in (tmp_path / "log").read_text()


def test_multi_service():
    """The other service sends to the chat."""
    with serving(partial(run, "multi_service.py")) as (call, _):
        token = call("POST", "/connect")[1]["token"]
        [message] = call("GET", "/status?after=0&wait=50", token)[1]["messages"]
        assert re.fullmatch(r"It is \d\d:\d\d\.", message["text"])


def test_callbacks(tmp_path):
    """It joins, sends, and ends."""
    with Server(tmp_path) as server, run("callbacks.py", server.url) as process:
        assert re.fullmatch(r"message 1: \w.* was here\.\n", process.stdout.read())
        assert process.wait(60) == 0


def test_trial_test(tmp_path):
    """Trial runs the tests of an application, which fail when the application does."""
    good, bad = EXAMPLES / "trial_test.py", tmp_path / "bad_test.py"
    bad.write_text(good.read_text().replace('"Welcome!")', '"Go away!")'))
    for path, outcome in ((good, "PASSED (successes=1)"), (bad, "FAILED (failures=1)")):
        done = subprocess.run(
            [sys.executable, "-m", "twisted.trial", path],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert outcome in done.stdout, done.stdout + done.stderr


def test_bot():
    """The bot replies in private to a call for help; the log has the sender, not the text."""
    with serving(partial(run, "bot.py")) as (call, output):
        assert output.readline() == "listening\n"
        alice, bob = (call("POST", "/connect")[1] for _ in range(2))
        assert call("POST", "/send", alice["token"], {"text": "help"})[0] == 200
        assert output.readline() == f"message 1 from user {alice['user_id']}\n"
        assert output.readline() == f"message 2 from user {alice['user_id'] - 1}\n"
        page = call("GET", "/status", alice["token"])[1]
        assert page["messages"][1]["text"].startswith("Ask here")
        page = call("GET", "/status", bob["token"])[1]
        assert [message["text"] for message in page["messages"]] == ["help"]


def test_own_store(tmp_path):
    """Each message is told of, and is in the file."""
    with run("own_store.py", tmp_path) as process:
        said = process.stdout.read()
    assert re.fullmatch(r"(message \d: \d\.\d{6} s\n){3}", said)
    assert (tmp_path / "chat.sqlite").stat().st_size > 0


def test_own_clock():
    """An hour goes by at once."""
    with run("own_clock.py") as process:
        assert process.stdout.read() == "12:00 I am off.\nalice left at 12:00.\nbob is here.\n"


def test_follow(tmp_path):
    """It replies to each message, in order and once, through a restart, and leaves."""
    with Server(tmp_path) as server:
        with run("follow.py", server.url) as process:
            assert process.stdout.readline().endswith(" listens\n")
            token = server.connect("alice")["token"]

            def say(text):
                assert server.request("POST", "/send", token, {"text": text})[0] == 200

            say("one")
            server.stop()
            server.start()
            say("two")
            say("goodbye")
            assert process.wait(60) == 0
        page = server.request("GET", "/status", token)[1]
    responses = [message["text"] for message in page["messages"] if message["recipient_id"]]
    assert responses == ["one", "two", "goodbye"]


@pytest.mark.parametrize("example", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_every_example_is_short_and_tested(example):
    """None is longer than a screen, and none is left out here."""
    assert len(example.read_text().splitlines()) < 40
    assert f"test_{example.stem}" in globals()
