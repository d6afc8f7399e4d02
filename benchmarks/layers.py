"""Where the time of a request goes: servers that each do a little more than the one before.

A sampling profiler misleads where everything takes a microsecond or less.  The difference
between two servers under the same load does not.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import load
import people
import servers
from rounds import Contender, interleaved
from table import Table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rounds import Series

CONNECTIONS = 64

LAYERS = {
    "reactor, llhttp, kernel": [sys.executable, str(servers.PEERS / "bare_protocol.py"), "PORT"],
    "HTTP: chatter.httpd": [sys.executable, str(servers.PEERS / "lean_constant.py"), "PORT"],
    "the chat, in memory": servers.chatter("memory:"),
    "SQLite, durable": servers.chatter("sqlite:chatter.sqlite"),
}
"""What each server adds to the one before."""


def layers(directory: Path, rounds: int, seconds: float) -> list[Table]:
    """The processor time of a request, layer by layer, for polls and for sends."""
    tables = []
    with ExitStack() as stack:
        running = []
        for number, (name, command) in enumerate(LAYERS.items()):
            server = stack.enter_context(servers.running(name, command, directory / str(number)))
            tokens = ["0" * 64] * CONNECTIONS
            if "chatter" in command:
                tokens = people.join(server, CONNECTIONS)
            running.append((server, tokens))
        for title, request in (("GET /status, nothing unread", _polls), ("POST /send", load.sends)):
            contenders = [
                Contender(server.name, server, _script(request, tokens), "request")
                for server, tokens in running
            ]
            tables.append(_table(title, interleaved(contenders, rounds, seconds)))
    return tables


def _polls(token: str) -> list[tuple[str, bytes]]:
    return [("poll", load.request("GET", "/status", token))]


def _script(requests: Callable[[str], list[tuple[str, bytes]]], tokens: list[str]) -> bytes:
    return load.script([[("request", r) for _, r in requests(token)] for token in tokens])


def _table(title: str, all_series: list[Series]) -> Table:
    table = Table(f"{title}, layer by layer", ["up to", "server us", "of which it adds", "share"])
    whole = all_series[-1].median("server_us")
    below = 0.0
    for series in all_series:
        so_far = series.median("server_us")
        added = so_far - below
        table.add(series.contender.name, f"{so_far:.0f}", f"{added:.0f}", f"{added / whole:.0%}")
        below = so_far
    return table
