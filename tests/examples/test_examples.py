"""The examples run, as they stand."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.server import Server, ask, free_port

EXAMPLES = Path(__file__).parents[2] / "examples"


@contextmanager
def running(name, *arguments):
    """An example in a process of its own, which has nothing to complain of."""
    # Twisted leaves the file open that it keeps in reserve.
    strictly = ["-W", "error", "-W", "ignore::ResourceWarning"]
    process = subprocess.Popen(
        [sys.executable, *strictly, str(EXAMPLES / f"{name}.py"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        _, complaints = process.communicate(timeout=10)
        assert complaints == ""


@contextmanager
def serving(name):
    """An example that serves; yields how to ask it, and what it prints."""
    port = free_port()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with running(name, f"tcp:{port}:interface=127.0.0.1") as process:
        assert process.stdout.readline() == "listening\n"
        yield partial(ask, connection), process.stdout
        connection.close()


def test_embedding():
    """A page, and two chats beside it, of which one does not know the other's users."""
    with serving("embedding") as (ask, _):
        token = ask("POST", "/chat/connect")[1]["token"]
        assert ask("GET", "/chat/status", token)[0] == 200
        assert ask("GET", "/staff/status", token)[0] == 401
        assert ask("POST", "/staff/connect")[1]["user_id"] == 1
        assert ask("HEAD", "/")[0] == 200


def test_accounts():
    """Who has a key of the application is a user of the chat; nobody else is, or becomes one."""
    with serving("accounts") as (ask, _):
        alice, bob = {"X-Key": "alice's key"}, {"X-Key": "bob's key"}
        connected = ask("POST", "/connect", headers=alice)[1]
        assert connected["name"] == "alice"
        assert "token" not in connected
        assert ask("POST", "/send", body={"text": "Hello"}, headers=alice)[0] == 200
        page = ask("GET", "/status", headers=bob)[1]
        assert [message["text"] for message in page["messages"]] == ["Hello"]
        for nobody in ({}, {"X-Key": "carol's key"}, {"Authorization": "alice's key"}):
            assert ask("POST", "/connect", headers=nobody)[0] == 401
            assert ask("GET", "/status", headers=nobody)[0] == 401


def test_bot():
    """The bot answers who asks, in private; the log has who said something, but not what."""
    with serving("bot") as (ask, output):
        alice, bob = (ask("POST", "/connect")[1] for _ in range(2))
        assert ask("POST", "/send", alice["token"], {"text": "help"})[0] == 200
        assert output.readline() == f"message 1 from user {alice['user_id']}\n"
        assert output.readline() == f"message 2 from user {alice['user_id'] - 1}\n"
        page = ask("GET", "/status", alice["token"])[1]
        assert page["messages"][1]["text"].startswith("Ask here")
        page = ask("GET", "/status", bob["token"])[1]
        assert [message["text"] for message in page["messages"]] == ["help"]


def test_own_store(tmp_path):
    """Each message is told of, and is in the file."""
    with running("own_store", str(tmp_path)) as process:
        said = process.stdout.read()
    assert re.fullmatch(r"(message \d: \d\.\d{6} s\n){3}", said)
    assert (tmp_path / "chat.sqlite").stat().st_size > 0


def test_own_clock():
    """An hour goes by at once."""
    with running("own_clock") as process:
        assert process.stdout.read() == "12:00 I am off.\nalice left at 12:00.\nbob is here.\n"


def test_follow(tmp_path):
    """It answers each message, in order and once, through a restart of the server, and leaves."""
    with Server(tmp_path) as server:
        with running("follow", f"http://127.0.0.1:{server.port}") as process:
            assert process.stdout.readline().endswith(" listens\n")
            token = server.connect("alice")["token"]

            def say(text):
                assert server.request("POST", "/send", token, {"text": text})[0] == 200

            say("one")
            server.stop()
            server.start()
            say("two")
            say("goodbye")
            assert process.wait(30) == 0
        page = server.request("GET", "/status", token)[1]
    responses = [message["text"] for message in page["messages"] if message["recipient_id"]]
    assert responses == ["one", "two", "goodbye"]


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_every_example_is_short_and_tested(example):
    """None is longer than a screen, and none is left out here."""
    assert len(example.read_text().splitlines()) <= 45
    assert f"test_{example.stem}" in globals()
