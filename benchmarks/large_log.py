"""What a long log costs: polls, memory, the start.

The server is started with the log as its database, so that nothing of it is at
hand in memory.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING

import load
import log_maker
import people
import servers
from rounds import Contender, interleaved
from table import RATE_COLUMNS, Table, Target, rate_cells

if TYPE_CHECKING:
    from pathlib import Path

SHORT = 1_000
LONG = 1_000_000
USERS = 10_000
FIRST_USERS = 1_000
"""So many have polled before memory is measured, so that caches of fixed size are warm."""

SAVED_AFTER_SECONDS = 3

SAME_COST = Target(1.15, at_least=False)
"""What counts as the same processor time for each poll, in spite of noise."""

STARTS = 5


def long_log(directory: Path, rounds: int, seconds: float) -> list[Table]:
    """Make a short and a long log, and measure with both."""
    short, long = directory / "short.sqlite", directory / "long.sqlite"
    log_maker.make_log(short, SHORT, 2 * log_maker.READERS)
    log_maker.make_log(long, LONG, USERS)
    stores = f"sqlite:{short}", f"sqlite:{long}"
    return [_polls(directory, stores, rounds, seconds), _memory_and_start(directory, stores)]


def _polls(directory: Path, stores: tuple[str, str], rounds: int, seconds: float) -> Table:
    """Polls with 20 unread, by where in the log these are."""
    tokens = [log_maker.token_of(user_id) for user_id in range(1, log_maker.READERS + 1)]
    with ExitStack() as stack:
        short, long = (
            stack.enter_context(
                servers.running("chatter", servers.chatter(store), directory / f"log-{number}")
            )
            for number, store in enumerate(stores)
        )
        cases = {
            f"newest of {SHORT:,}": (short, SHORT - log_maker.NEWEST),
            f"newest of {LONG:,}": (long, LONG - log_maker.NEWEST),
            f"far back in {LONG:,}": (long, LONG // 100),
            f"scattered over {LONG // 2:,}": (long, LONG // 2),
        }
        contenders = []
        for name, (server, after) in cases.items():
            path = f"/status?after={after}&limit={log_maker.NEWEST}"
            people.expect_unread(server, tokens, path, log_maker.NEWEST)
            script = load.script([[("poll", load.request("GET", path, token))] for token in tokens])
            contenders.append(Contender(name, server, script, "poll"))
        base, *others = interleaved(contenders, rounds, seconds)
    title = "GET /status with 20 unread that are only in the database, 64 connections"
    table = Table(title, [*RATE_COLUMNS, "cost / first"])
    table.add(*rate_cells(base), "")
    for series in others:
        cost = series.ratio_to(base, "server_us")
        table.add(*rate_cells(series), f"{cost:.2f} x", figure=cost, target=SAME_COST)
    return table


def _memory_and_start(directory: Path, stores: tuple[str, str]) -> Table:
    """What each known user costs in memory, and how long the start takes."""
    table = Table(f"{LONG:,} messages, {USERS:,} users", ["what", "measured"])
    short_store, long_store = stores
    with servers.running("chatter", servers.chatter(short_store), directory / "short") as server:
        _poll_once(server, range(1, 2))
        short_bytes = server.resident_bytes()
    start_seconds: list[float] = []
    for _ in range(STARTS):
        long = servers.running("chatter", servers.chatter(long_store), directory / "long")
        with long as server:
            start_seconds.append(server.start_seconds)
    with servers.running("chatter", servers.chatter(long_store), directory / "long") as server:
        _poll_once(server, range(1, 2))
        known = (server.resident_bytes() - short_bytes) / USERS
        _poll_once(server, range(1, FIRST_USERS + 1))
        before = server.resident_bytes()
        _poll_once(server, range(FIRST_USERS + 1, USERS + 1))
        seen = (server.resident_bytes() - before) / (USERS - FIRST_USERS)
        whole = server.resident_bytes() / 2**20
    limit = Target(1024, at_least=False, unit="bytes")
    text = "a user who is known: start with this log, against one of 1,000 messages"
    table.add(text, f"{known:.0f} bytes", figure=known, target=limit)
    text = "a user who polled once and left, since the start"
    table.add(text, f"{seen:.0f} bytes", figure=seen, target=limit)
    table.add("the server, after that", f"{whole:.0f} MiB")
    start = median(start_seconds)
    target = Target(1, at_least=False, unit="s")
    table.add("from the command to /health", f"{start:.2f} s", figure=start, target=target)
    return table


def _poll_once(server: servers.Server, user_ids: range) -> None:
    """Let users poll, and wait until their cursors are saved."""
    caller = people.Caller(server)
    for user_id in user_ids:
        caller.ask("GET", "/status", log_maker.token_of(user_id))
    caller.close()
    time.sleep(SAVED_AFTER_SECONDS)
