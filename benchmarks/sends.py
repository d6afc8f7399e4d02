"""``POST /send``: chatter stores each message durably, its peers less or nothing.

Every connection is a user of its own.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import load
import people
import servers
from rounds import Contender, interleaved
from table import Table, Target, rate_table

if TYPE_CHECKING:
    from pathlib import Path

CONNECTIONS = 64

TARGETS = {
    "chatter / plain twisted.web": Target(5),
    "chatter / aiohttp, stores nothing": Target(2),
    "chatter / FastAPI + aiosqlite": Target(6),
    "chatter / FastAPI + sqlite3": Target(12),
}


def durable_sends(directory: Path, rounds: int, seconds: float) -> list[Table]:
    """The rate of sends, side by side with the peers."""
    commands = {
        "chatter": servers.chatter("sqlite:chatter.sqlite"),
        "plain twisted.web": servers.plain_twisted(),
        "the same without access log": servers.plain_twisted("none"),
        "the same, access log to a file": servers.plain_twisted("file"),
        "FastAPI + sqlite3": servers.fastapi("fastapi_sqlite3"),
        "FastAPI + aiosqlite": servers.fastapi("fastapi_aiosqlite"),
        "aiohttp, stores nothing": servers.aiohttp_echo(),
    }
    with ExitStack() as stack:
        contenders = []
        for number, (name, command) in enumerate(commands.items()):
            server = stack.enter_context(servers.running(name, command, directory / str(number)))
            if name == "chatter":
                tokens = people.join(server, CONNECTIONS)
                script = load.script([load.sends(token) for token in tokens])
            contenders.append(Contender(name, server, script, "send"))
        ours, *peers = interleaved(contenders, rounds, seconds)
    title = f"POST /send, durable (SQLite, synchronous=FULL), {CONNECTIONS} connections"
    return [rate_table(title, [ours], peers, TARGETS)]
