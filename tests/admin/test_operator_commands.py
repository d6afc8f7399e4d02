"""``chatter-admin`` and a server that runs: over its socket, which only its owner can open."""

from __future__ import annotations

import json
import re
import socket as sockets
import stat
import threading
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest
from twisted.internet import reactor

from chatter.admin import operator_client
from chatter.admin.export import new_file
from chatter.admin.main import run
from chatter.admin.operator_client import OperatorClient
from chatter.service import ChatService
from tests.admin.commands import fail, in_thread


@pytest.fixture
def socket(tmp_path):
    return tmp_path / "admin.sock"


class Command:
    """The command, while the reactor runs, of which one thread is this test's."""

    def __init__(self, socket, capsys):
        self._socket = socket
        self._capsys = capsys

    async def _run(self, *words):
        status = await in_thread(run, ["--socket", str(self._socket), *map(str, words)])
        return (status, *self._capsys.readouterr())

    async def succeed(self, *words):
        """What it prints."""
        status, out, err = await self._run(*words)
        assert (status, err) == (0, "")
        return out

    async def fail(self, *words):
        """What is wrong, in its one line."""
        status, out, err = await self._run(*words)
        assert (status, out) == (1, "")
        assert err.startswith(f"chatter-admin {words[0]}: ")
        assert err.count("\n") == 1
        return err.partition(": ")[2].rstrip("\n")


@pytest.fixture
def command(socket, capsys):
    return Command(socket, capsys)


@asynccontextmanager
async def serving(socket, store):
    """A server with an endpoint for its operator."""
    service: Any = ChatService.for_store(reactor, store, "0", admin=f"unix:{socket}")
    await service.startService()
    try:
        yield service.chat
    finally:
        await service.stopService()


async def test_users_stats_and_withdraw(socket, command):
    """As tables, and as JSON."""
    async with serving(socket, "memory:") as chat:
        alice = await chat.join("alice")
        await chat.join("bob")
        await chat.send(alice, "Buy at evil.example!")
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600

        users = (await command.succeed("users")).splitlines()
        assert users[0].split() == [
            *("id", "name", "online", "last", "seen", "role", "muted", "banned")
        ]
        assert [line.split()[1] for line in users[1:]] == ["alice", "bob"]
        short = await command.succeed("users", "--limit", "1")
        assert short.endswith("There are more: --after 1\n")
        stats = json.loads(await command.succeed("stats", "--json"))
        assert stats["last_id"] == 1
        said = await command.succeed("withdraw", "1")
        assert said == "Message 1 is withdrawn.\n"
        assert (await chat.peek(alice, after=0)).messages == []
        said = await command.fail("withdraw", "1")
        assert said == "There is no such message any more."
    assert not socket.exists()


async def test_a_server_makes_a_backup(socket, tmp_path, command):
    """It is whole and its owner's only, and nothing is overwritten."""
    backup = tmp_path / "backup.sqlite"
    async with serving(socket, f"sqlite:{tmp_path}/chat.sqlite") as chat:
        await chat.send(await chat.join("alice"), "Hello!")
        said = await command.succeed("backup", backup)
        assert said == f"{backup}: 1 users, 1 entries of the log.\n"
        assert stat.S_IMODE(backup.stat().st_mode) == 0o600
        before = backup.read_bytes()
        said = await command.fail("backup", backup)
        assert said == f"{backup} is there already."
        assert backup.read_bytes() == before
        missing = tmp_path / "no" / "backup"
        assert "No such file" in await command.fail("backup", missing)


async def test_stats_of_a_store_on_a_disk(socket, tmp_path, command):
    """What is kept, and how much room it takes."""
    async with serving(socket, f"sqlite:{tmp_path}/chat.sqlite") as chat:
        alice = await chat.join("alice")
        first = await chat.send(alice, "Hello!")
        await chat.send(alice, "Bye.")
        stats = json.loads(await command.succeed("stats", "--json"))
        assert (stats["users"], stats["general_messages"], stats["last_id"]) == (1, 2, 2)
        oldest = datetime.fromisoformat(stats["oldest_at"].replace("Z", "+00:00"))
        assert oldest == first.sent_at
        assert stats["db_bytes"] > 4096
        table = await command.succeed("stats")
        assert "general messages  2\n" in table
        assert re.search(r"^uptime +0:\d\d:\d\d$", table, re.MULTILINE)
        assert re.search(r"^oldest at +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", table, re.MULTILINE)


async def test_the_endpoint_stops_with_the_server(socket):
    """A connection that is kept open is closed, and nobody can connect any more."""
    with sockets.socket(sockets.AF_UNIX) as connection:
        connection.settimeout(60)
        async with serving(socket, "memory:"):
            connection.connect(str(socket))
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            response = await in_thread(connection.recv, 65536)
            assert response.startswith(b"HTTP/1.1 200 ")
        assert connection.recv(65536) == b""
    assert not socket.exists()


async def test_a_user_leaves(socket, tmp_path, command):
    """With what the chat has of them; then their messages are gone."""
    file = tmp_path / "alice.jsonl"
    async with serving(socket, "memory:") as chat:
        alice, bob = await chat.join("alice"), await chat.join("bob")
        await chat.send(alice, "Hello!")
        said = await command.succeed("export", "alice", file)
        assert said == f"{file}: 2 lines.\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        before = file.read_bytes()
        assert [*json.loads(before.splitlines()[1])] == ["message"]
        assert (await command.succeed("export", "alice")).encode() == before
        said = await command.fail("export", "alice", file)
        assert said == f"{file}: File exists."
        assert file.read_bytes() == before
        said = await command.fail("export", "nobody", tmp_path / "no")
        assert said == "There is no user 'nobody'."
        assert not (tmp_path / "no").exists()
        said = await command.succeed("erase", "alice")
        assert said == "alice is erased.\n"
        assert (await chat.peek(bob, after=0)).messages == []


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}\n", "before it was whole"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n", "was whole"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", "no operator's endpoint"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "no operator's endpoint"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", "no operator's endpoint"),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}", "no operator's endpoint"),
    ],
)
def test_something_else_listens_there(socket, tmp_path, response, said):
    """The operator gets one line, and no file that is not whole."""
    with Listener(socket, response):
        client = OperatorClient(str(socket))
        with pytest.raises(ValueError, match=said):
            client.get("/stats")
    if "whole" in said:
        with Listener(socket, response), pytest.raises(ValueError, match=said):
            export(client, tmp_path / "file")
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("status", [b"200 OK", b"400 Bad Request"])
def test_a_response_without_end_is_not_read(socket, monkeypatch, status):
    """What is larger than any response of the endpoint comes from something else."""
    monkeypatch.setattr(operator_client, "_LARGEST", 1000)
    response = b"HTTP/1.1 " + status + b"\r\n\r\n" + b'{"detail": 1}'.ljust(1001)
    with Listener(socket, response), pytest.raises(ValueError, match="no operator's endpoint"):
        OperatorClient(str(socket)).get("/stats")


@pytest.mark.parametrize("path", ["/users", "/erase"])
def test_a_server_that_hangs_is_not_waited_for(socket, monkeypatch, path):
    """A while, which is longer for what takes long; then the operator gets one line."""
    short, long = (0.05, 60) if path == "/users" else (60, 0.05)
    monkeypatch.setattr(operator_client, "_PATIENCE", short)
    monkeypatch.setattr(operator_client, "_LONG_PATIENCE", long)
    with sockets.socket(sockets.AF_UNIX) as hanging:
        hanging.bind(str(socket))
        hanging.listen(1)
        with pytest.raises(ValueError, match=r"has not responded within 0\.05 seconds"):
            OperatorClient(str(socket)).get(path, limit=1)


def test_an_error_without_a_number_is_told_in_its_own_words(tmp_path, monkeypatch):
    """There is no other reason to tell."""

    def unusual(*_):
        raise OSError("it is out of order")

    monkeypatch.setattr("chatter.admin.export.os.open", unusual)
    with pytest.raises(ValueError, match=r"it is out of order\."), new_file(tmp_path / "a"):
        pass


def export(client, file):
    with new_file(file) as write:
        client.download("/export", write)


class Listener:
    """Accepts one connection, and responds with some bytes."""

    def __init__(self, path, response):
        path.unlink(missing_ok=True)
        self._socket = sockets.socket(sockets.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen(1)
        # Or it would wait for ever for a test that fails before it connects.
        self._socket.settimeout(60)
        self._response = response
        self._thread = threading.Thread(target=self._serve)

    def _serve(self):
        connection, _ = self._socket.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(self._response)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._thread.join(70)
        self._socket.close()


@pytest.mark.parametrize("words", [("mute",), ("export",), ("backup",), ("mute", "a", "--reason")])
async def test_an_argument_that_is_no_text(socket, command, words):
    """A shell passes on any bytes; what is wrong is not the server's body."""
    async with serving(socket, "memory:"):
        assert await command.fail(*words, "\udcff") == "An argument is not text in UTF-8."


async def test_a_ban_inside_another_one_ends(socket, command):
    """The other one still counts, which the operator is told."""
    async with serving(socket, "memory:"):
        for network in "10.0.0.0/8", "10.1.0.0/16":
            await command.succeed("ban", "--address", network)
        said = await command.succeed("unban", "--address", "10.1.0.0/16")
        assert said == (
            "10.1.0.0/16 is not banned any more, but it is part of 10.0.0.0/8, which is.\n"
        )
        assert await command.succeed("unban", "--address", "10.0.0.0/8") == "10.0.0.0/8 is free.\n"


def test_without_a_server(socket, tmp_path, monkeypatch):
    """The operator is told what can't be reached."""
    said = fail("--socket", socket, "stats")
    assert said == f"No server can be reached at {socket}: No such file or directory."
    monkeypatch.chdir(tmp_path)
    assert "Name the socket of the server with --socket" in fail("stats")
