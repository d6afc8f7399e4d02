"""How long a send takes at half load, while the same users poll as often as they send.

A poll then finds what the others have sent since the user's last one: with 64 users,
some 64 messages.  The top rate is that of a closed loop, just before, of the same mix.
Plain twisted.web, which echoes and sends a constant, runs at half of its own top rate
for comparison: a p99 depends much on how quiet the machine is.  A loop in C, which syncs
and does nothing else, gets the rate of chatter: it shows what is the machine's share.
"""

from __future__ import annotations

from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING

import load
import people
import servers
from rounds import told
from table import Table, Target

if TYPE_CHECKING:
    from pathlib import Path

CONNECTIONS = 64

P99_TARGET = Target(5, at_least=False, unit="ms")


def latency(directory: Path, rounds: int, seconds: float) -> list[Table]:
    """Latencies in an open loop, with the rates of each round taken from its closed loops."""
    of_ours: list[dict[str, load.Result]] = []
    of_plain: list[dict[str, load.Result]] = []
    of_loop: list[dict[str, load.Result]] = []
    with ExitStack() as stack:
        command = servers.chatter("sqlite:chatter.sqlite")
        server = stack.enter_context(servers.running("chatter", command, directory / "chatter"))
        command = servers.plain_twisted()
        plain = stack.enter_context(servers.running("plain", command, directory / "plain"))
        command = servers.synced_loop()
        loop = stack.enter_context(servers.running("loop", command, directory / "loop"))
        tokens = people.join(server, CONNECTIONS)
        mix = load.script([_by_turns(token) for token in tokens])
        for _ in range(rounds):
            try:
                ours = _at_half_load(server, mix, seconds)
                rate = sum(result.per_second for result in ours.values())
                of_ours.append(ours)
                of_loop.append(load.run(loop, mix, seconds, rate=rate))
                of_plain.append(_at_half_load(plain, mix, seconds))
            except load.InvalidRunError as error:
                told(error)
    columns = ["load", "request", "requests/s", "p50 ms", "p99 ms", "max ms", "bytes"]
    table = Table("Sends and polls by turns, 64 users, open loop", columns)
    _add(table, "half of its top rate", of_ours, P99_TARGET)
    _add(table, "at the same rate, a loop in C that syncs", of_loop, None)
    _add(table, "half of its top rate, plain twisted.web", of_plain, None)
    return [table]


def _by_turns(token: str) -> list[tuple[str, bytes]]:
    poll = ("poll", load.request("GET", "/status", token))
    return [request for send in load.sends(token) for request in (send, poll)]


def _at_half_load(server: servers.Server, script: bytes, seconds: float) -> dict[str, load.Result]:
    top = sum(result.per_second for result in load.run(server, script, seconds).values())
    return load.run(server, script, seconds, rate=top / 2)


def _add(
    table: Table, name: str, runs: list[dict[str, load.Result]], target: Target | None
) -> None:
    if not runs:
        raise load.InvalidRunError(f"{name}: no round was valid.")
    for kind, request in (("send", "POST /send"), ("poll", "GET /status")):
        results = [run[kind] for run in runs]
        p99 = median(result.p99_ms for result in results)
        table.add(
            name,
            request,
            f"{median(result.per_second for result in results):,.0f}",
            f"{median(result.p50_ms for result in results):.2f}",
            f"{p99:.2f}",
            f"{median(result.max_ms for result in results):.2f}",
            f"{median(result.body_bytes for result in results):,.0f}",
            figure=p99,
            target=target if kind == "send" else None,
        )
