"""What listeners cost: memory when idle and when stalled, latency, and others' time."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import live_peers
import servers
from live_listen import Delivery, listening
from rounds import valid_runs
from table import Table, Target

if TYPE_CHECKING:
    from servers import Server

IDLE = 10_000
STALLED = 1_000
STALLED_MESSAGES = 100_000
PUNCTUAL = 1_000
RATE = 100
CROWD = 10_000

IDLE_TARGET = Target(2048, at_least=False, unit="bytes")
STALLED_TARGET = Target(64, at_least=False, unit="KiB")
LATENCY_TARGET = Target(25, at_least=False, unit="ms")
HELD_TARGET = Target(20, at_least=False, unit="ms")

_SETTLE_SECONDS = 2.0
_HEAR_SECONDS = 0.2
_PROBE = Path(__file__).parent / "live_probe.py"


def idle_memory(directory: Path, rounds: int, seconds: float) -> list[Table]:
    """The memory of an idle stream, in a fresh process each round."""
    del seconds
    grown: dict[str, list[float]] = {}
    for peer in (live_peers.chatter("memory:"), *live_peers.installed()):
        for number in range(min(rounds, 3) if peer.name == "chatter" else 1):
            place = directory / f"{peer.name} {number}"
            with servers.running(peer.name, peer.command, place) as server:
                # The users are there before, and whatever the first streams bring along.
                with listening(peer, server, IDLE // 100):
                    time.sleep(_SETTLE_SECONDS / 2)
                before = _when_users_are_there(peer, server)
                with listening(peer, server, IDLE):
                    time.sleep(_SETTLE_SECONDS)
                    bytes_each = (server.resident_bytes() - before) / IDLE
                grown.setdefault(peer.name, []).append(bytes_each)
    table = Table(f"An idle stream, of {IDLE:,}", ["server", "bytes in its process"])
    for name, figures in grown.items():
        target = IDLE_TARGET if name == "chatter" else None
        table.add(name, f"{median(figures):,.0f}", figure=median(figures), target=target)
    return [table]


def _when_users_are_there(peer: live_peers.Peer, server: Server) -> int:
    """Join as many users as the streams will, and return the memory then."""
    before_users = server.resident_bytes()
    peer.requests(server, IDLE)
    after_users = server.resident_bytes()
    # The streams join as many again, which is not theirs to pay.
    return 2 * after_users - before_users


def stalled_memory(directory: Path, rounds: int, seconds: float) -> list[Table]:
    """How the server grows with listeners that take nothing, beside one that takes nothing."""
    del rounds, seconds
    peer = live_peers.chatter("sqlite:chatter.sqlite")
    grown = {}
    for count in (1, STALLED):
        with (
            servers.running(peer.name, peer.command, directory / f"stalled {count}") as server,
            listening(peer, server, count) as listeners,
        ):
            before = server.resident_bytes()
            listeners.perform(f"stall {STALLED_MESSAGES}", may_be_busy=True)
            grown[count] = server.resident_bytes() - before
    title = f"{STALLED:,} listeners that take nothing of {STALLED_MESSAGES:,} messages"
    table = Table(title, ["the server grows", "MiB", "KiB for each listener"])
    table.add("with one of them", f"{grown[1] / 2**20:.1f}", "")
    each = grown[STALLED] / STALLED / 1024
    table.add(
        f"with {STALLED:,} of them",
        f"{grown[STALLED] / 2**20:.1f}",
        f"{each:.1f}",
        figure=each,
        target=STALLED_TARGET,
    )
    return [table]


def latency(directory: Path, rounds: int, seconds: float) -> list[Table]:
    """From the response to a send to the arrival, at a constant rate."""
    title = f"{PUNCTUAL:,} listeners, {RATE} messages/s"
    columns = ["store", "from the response: p50 ms", "p99 ms", "max ms", "from the send: p99 ms"]
    table = Table(title, columns)
    for store in ("memory:", "sqlite:chatter.sqlite"):
        peer = live_peers.chatter(store)
        place = directory / store.partition(":")[0]
        with servers.running(peer.name, peer.command, place) as server:
            measure = partial(_punctual_run, peer, server, seconds)
            runs = valid_runs([measure] * rounds)
        p99 = median(run.answered_p99_ms for run in runs)
        table.add(
            store,
            f"{median(run.answered_p50_ms for run in runs):.1f}",
            f"{p99:.1f}",
            f"{median(run.answered_max_ms for run in runs):.1f}",
            f"{median(run.sent_p99_ms for run in runs):.1f}",
            figure=p99,
            target=LATENCY_TARGET,
        )
    return [table]


def _punctual_run(peer: live_peers.Peer, server: Server, seconds: float) -> Delivery:
    with listening(peer, server, PUNCTUAL) as listeners:
        listeners.perform(f"rate 0.5 {RATE}", may_be_busy=True)
        return listeners.perform(f"rate {seconds} {RATE}", may_be_busy=True)


def fairness(directory: Path, rounds: int, seconds: float) -> list[Table]:
    """The longest stretch for which the reactor is held while all are told."""
    title = f"The reactor, while {CROWD:,} listeners are told"
    table = Table(title, ["sent", "longest stretch, ms", "of the processor, ms"])
    peer = live_peers.chatter("memory:")
    report = directory / "held"
    command = [sys.executable, str(_PROBE), str(report), *peer.command[1:]]
    held: dict[str, list[dict[str, float]]] = {}
    with servers.running(peer.name, command, directory / "held-server") as server:
        for _ in range(rounds):
            with listening(peer, server, CROWD) as listeners:
                for way, what in {"single": "one at a time", "together": "16 at once"}.items():
                    os.kill(server.pid, signal.SIGUSR1)
                    time.sleep(_HEAR_SECONDS)
                    listeners.perform(f"{way} {seconds}", may_be_busy=True)
                    held.setdefault(what, []).append(_held(server, report))
    for what, runs in held.items():
        wall = median(run["wall"] for run in runs)
        processor = median(run["processor"] for run in runs)
        table.add(what, f"{wall:.1f}", f"{processor:.1f}", figure=wall, target=HELD_TARGET)
    return [table]


def _held(server: Server, report: Path) -> dict[str, float]:
    report.unlink(missing_ok=True)
    os.kill(server.pid, signal.SIGUSR2)
    while not report.exists():
        time.sleep(_HEAR_SECONDS / 10)
    held: dict[str, float] = json.loads(report.read_text())
    return held
