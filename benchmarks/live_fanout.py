"""Fan-out: one general chat, and thousands who listen to it.

*One at a time*: the next message is sent once all listeners have this one.  *16 senders
at once*: each sends again once all have its message, so 16 are under way.  In a round
each server in turn has its streams opened, does both, and has them closed.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING

import live_peers
import servers
from live_listen import Delivery, listening
from live_peers import SENDERS
from load import InvalidRunError
from rounds import pairs_of, told
from table import Table, Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from live_peers import Peer
    from servers import Server

LISTENERS = (1_000, 5_000, 10_000)

COMMANDS = {"one at a time": "single", f"{SENDERS} senders at once": "together"}

TARGETS = {
    ("one at a time", "nginx with nchan"): Target(1.25),
    ("one at a time", "Socket.IO"): Target(2),
    (f"{SENDERS} senders at once", "nginx with nchan"): Target(8),
}

COLUMNS = (
    "server",
    "deliveries/s",
    "lowest to highest",
    "server us",
    "p50 ms",
    "p99 ms",
    "listener busy",
    "chatter / it",
    "in server us",
)

Rounds = dict[tuple[str, str], dict[int, Delivery]]
"""For each way of sending and each server, what its valid rounds measured, by their number."""


def fan_out(directory: Path, rounds: int, seconds: float) -> Iterator[Table]:
    """Deliveries a second, side by side with the peers."""
    with ExitStack() as stack:
        contenders = []
        for peer in (live_peers.chatter("memory:"), *live_peers.installed()):
            running = servers.running(peer.name, peer.command, directory / peer.name)
            contenders.append((peer, stack.enter_context(running)))
        for count in LISTENERS:
            measured = _measured(contenders, count, rounds, seconds)
            for way in COMMANDS:
                yield _table(way, count, measured)


def _measured(
    contenders: Sequence[tuple[Peer, Server]], count: int, rounds: int, seconds: float
) -> Rounds:
    measured: Rounds = {}
    for number in range(rounds):
        for peer, server in contenders:
            said = f"  {count} listeners, round {number + 1} of {rounds}: {peer.name}"
            print(said, file=sys.stderr, flush=True)
            try:
                with listening(peer, server, count) as listeners:
                    for way, command in COMMANDS.items():
                        # Whether the listener was the limit is in the table: the rate is then
                        # what the server can do at least.
                        delivery = listeners.perform(f"{command} {seconds}", may_be_busy=True)
                        measured.setdefault((way, peer.name), {})[number] = delivery
            except InvalidRunError as error:
                told(error)
    return measured


def _table(way: str, count: int, measured: Rounds) -> Table:
    table = Table(f"{count:,} listeners, {way}", COLUMNS)
    ours = measured.get((way, "chatter"), {})
    for (its_way, name), by_number in measured.items():
        if its_way != way:
            continue
        deliveries = list(by_number.values())
        rates = sorted(delivery.per_second for delivery in deliveries)
        cells = [
            name,
            f"{median(rates):,.0f}",
            f"{rates[0]:,.0f} to {rates[-1]:,.0f}",
            f"{median(delivery.server_us for delivery in deliveries):.2f}",
            f"{median(delivery.sent_p50_ms for delivery in deliveries):.1f}",
            f"{median(delivery.sent_p99_ms for delivery in deliveries):.1f}",
            f"{median(delivery.load_busy for delivery in deliveries):.0%}",
        ]
        if name == "chatter":
            table.add(*cells, "", "")
            continue
        pairs = pairs_of(ours, by_number)
        ratio = median(our.per_second / its.per_second for our, its in pairs)
        cost = median(its.server_us / our.server_us for our, its in pairs)
        cells += [f"{ratio:.2f} x", f"{cost:.2f} x"]
        label = f"chatter / {name}"
        table.add(*cells, figure=ratio, target=TARGETS.get((way, name)), label=label)
    return table
