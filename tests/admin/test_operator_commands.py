"""``chatter-admin`` and a server that runs: over its socket, which only its owner can open."""

from __future__ import annotations

import json
import stat
from contextlib import asynccontextmanager
from typing import Any

import pytest
from twisted.internet import reactor

from chatter.service import ChatService
from tests.admin.commands import fail, in_thread, succeed


@pytest.fixture
def socket(tmp_path):
    return tmp_path / "admin.sock"


@asynccontextmanager
async def serving(socket, store):
    """A server with an endpoint for its operator."""
    service: Any = ChatService.for_store(reactor, store, "0", admin=f"unix:{socket}")
    await service.startService()
    try:
        yield service.chat
    finally:
        await service.stopService()


async def test_users_stats_and_withdraw(socket):
    """As tables, and as JSON."""
    async with serving(socket, "memory:") as chat:
        alice = await chat.join("alice")
        await chat.join("bob")
        await chat.send(alice, "Buy at evil.example!")
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600

        users = (await in_thread(succeed, "--socket", socket, "users")).splitlines()
        assert users[0].split() == ["id", "name", "online", "last", "seen"]
        assert [line.split()[1] for line in users[1:]] == ["alice", "bob"]
        short = await in_thread(succeed, "--socket", socket, "users", "--limit", "1")
        assert short.endswith("There are more: --after 1\n")
        stats = json.loads(await in_thread(succeed, "--socket", socket, "stats", "--json"))
        assert stats["last_id"] == 1
        said = await in_thread(succeed, "--socket", socket, "withdraw", "1")
        assert said == "Message 1 is withdrawn.\n"
        assert (await chat.peek(alice, after=0)).messages == []
        said = await in_thread(fail, "--socket", socket, "withdraw", "1")
        assert said == "There is no such message any more."
    assert not socket.exists()


async def test_a_server_makes_a_backup(socket, tmp_path):
    """It is whole and its owner's only, and nothing is overwritten."""
    backup = tmp_path / "backup.sqlite"
    async with serving(socket, f"sqlite:{tmp_path}/chat.sqlite") as chat:
        await chat.send(await chat.join("alice"), "Hello!")
        said = await in_thread(succeed, "--socket", socket, "backup", backup)
        assert said == f"{backup}: 1 users, 1 entries of the log.\n"
        assert stat.S_IMODE(backup.stat().st_mode) == 0o600
        before = backup.read_bytes()
        said = await in_thread(fail, "--socket", socket, "backup", backup)
        assert said == f"{backup} is there already."
        assert backup.read_bytes() == before
        missing = tmp_path / "no" / "backup"
        assert "No such file" in await in_thread(fail, "--socket", socket, "backup", missing)


def test_without_a_server(socket, tmp_path, monkeypatch):
    """The operator is told what can't be reached."""
    said = fail("--socket", socket, "stats")
    assert said == f"No server can be reached at {socket}: No such file or directory."
    monkeypatch.chdir(tmp_path)
    assert "Name the socket of the server with --socket" in fail("stats")
