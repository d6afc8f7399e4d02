"""``POST /send`` through one node on PostgreSQL, beside SQLite, and beside a commit each."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import load
import people
import servers
from nodes_database import database_server
from rounds import Contender, interleaved
from table import Table, Target, rate_table

if TYPE_CHECKING:
    from pathlib import Path

CONNECTIONS = 64
NODE, SQLITE, POOL, SEQUENCE, PLAIN = (
    "chatter on PostgreSQL",
    "chatter on SQLite",
    "a commit each, pool of 8",
    "the same, ids from a sequence",
    "plain twisted.web",
)

TARGETS = {
    f"{NODE} / {SQLITE}": Target(0.6),
    f"{NODE} / {POOL}": Target(10),
    f"{NODE} / {PLAIN}": Target(3),
}


def durable_sends(directory: Path, rounds: int, seconds: float) -> list[Table]:
    """The rate of sends, side by side."""
    with database_server() as postgres, ExitStack() as stack:
        pool = [sys.executable, str(servers.PEERS / "chatter_pool.py"), "PORT"]
        commands = {
            NODE: servers.chatter(postgres.url(postgres.new_database())),
            SQLITE: servers.chatter("sqlite:chatter.sqlite"),
            POOL: [*pool, postgres.url(postgres.new_database()), "ordered"],
            SEQUENCE: [*pool, postgres.url(postgres.new_database()), "sequence"],
            PLAIN: servers.plain_twisted(),
        }
        contenders = []
        for number, (name, command) in enumerate(commands.items()):
            server = stack.enter_context(servers.running(name, command, directory / str(number)))
            if name != PLAIN:
                tokens = people.join(server, CONNECTIONS)
            script = load.script([load.sends(token) for token in tokens])
            contenders.append(Contender(name, server, script, "send"))
        ours, *peers = interleaved(contenders, rounds, seconds)
    title = f"POST /send, durable, {CONNECTIONS} connections"
    return [rate_table(title, [ours], peers, TARGETS)]
