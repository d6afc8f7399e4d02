"""What passes between nodes: how soon it is there, and what it costs each of them.

PostgreSQL is on the core of the load; all nodes share the other core.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

import live_peers
import load
import people
import servers
from live_listen import Delivery, listening
from nodes_database import cpu_seconds, database_server
from rounds import valid_runs
from table import Table, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from live_peers import Requests
    from servers import Server

    from tests.postgres.server import PostgresServer

RATE = 500
PUNCTUAL = (10, 100)
LATENCY_TARGET = Target(30, at_least=False, unit="ms")

NODES = (1, 2)
FOLLOWERS = (0, 100, 1_000)
COST_RATE = 100
CONNECTIONS = 64


def latency(directory: Path, rounds: int, seconds: float) -> list[Table]:
    """From a send at one node to its arrival at the followers of another."""
    columns = ["followers", "from the send: p50 ms", "p99 ms", "from the response: p99 ms"]
    table = Table(f"Sent at one node, followed at another, {RATE} messages/s", columns)
    with database_server() as postgres, running_cluster(directory, postgres, 2) as cluster:
        sending, listening_one = cluster.nodes
        peer = _peer_of(senders=[sending], listeners=[listening_one])
        for count in PUNCTUAL:
            measure = partial(_punctual_run, peer, sending, count, seconds)
            runs = valid_runs([measure] * rounds)
            p99 = median(run.sent_p99_ms for run in runs)
            table.add(
                f"{count:,}",
                f"{median(run.sent_p50_ms for run in runs):.1f}",
                f"{p99:.1f}",
                f"{median(run.answered_p99_ms for run in runs):.1f}",
                figure=p99,
                target=LATENCY_TARGET,
            )
    return [table]


def _punctual_run(peer: live_peers.Peer, sending: Server, count: int, seconds: float) -> Delivery:
    with listening(peer, sending, count) as listeners:
        listeners.perform(f"rate 0.5 {RATE}", may_be_busy=True)
        return listeners.perform(f"rate {seconds} {RATE}", may_be_busy=True)


@dataclass(frozen=True)
class Cluster:
    """Nodes on one database."""

    nodes: list[Server]
    postgres: PostgresServer
    database: str

    def messages(self) -> int:
        """How many there are."""
        with self.postgres.connect(self.database) as connection:
            (newest,) = connection.execute("SELECT max(id) FROM messages").fetchone() or (None,)
            return newest or 0

    def cpu_seconds(self) -> tuple[float, float]:
        """The processor time of all nodes, and of PostgreSQL."""
        return sum(node.cpu_seconds() for node in self.nodes), cpu_seconds(self.postgres)


@dataclass(frozen=True)
class Cost:
    """Processor microseconds for each message.

    :ivar nodes: of all nodes together.
    """

    nodes: float
    database: float
    per_second: float


def costs(directory: Path, rounds: int, seconds: float) -> list[Table]:
    """What a message costs the nodes and PostgreSQL, by their number and that of the followers."""
    columns = ["nodes", "followers", "us of the nodes", "of each", "us of PostgreSQL"]
    slow = Table(f"A message, of {COST_RATE} a second: processor time", columns)
    columns = ["nodes", "sends/s", "us of the nodes", "of each", "us of PostgreSQL"]
    fast = Table(f"A message, of {CONNECTIONS} senders at full speed: processor time", columns)
    with database_server() as postgres:
        for count in NODES:
            with running_cluster(directory / str(count), postgres, count) as cluster:
                for followers in FOLLOWERS:
                    measure = partial(_cost_with, followers, cluster, seconds)
                    cost = _median(valid_runs([measure] * rounds))
                    slow.add(count, f"{followers:,}", *_cells(cost, count))
                cost = _median(valid_runs([partial(_full_speed, cluster, seconds)] * rounds))
                fast.add(count, f"{cost.per_second:,.0f}", *_cells(cost, count))
    return [slow, fast]


def _cells(cost: Cost, nodes: int) -> tuple[str, ...]:
    return f"{cost.nodes:.0f}", f"{cost.nodes / nodes:.0f}", f"{cost.database:.0f}"


def _median(measured: list[Cost]) -> Cost:
    for cost in measured:
        said = f"  {cost.nodes:.0f} us of the nodes, {cost.database:.0f} us of PostgreSQL"
        print(f"{said}, {cost.per_second:,.0f} messages/s", file=sys.stderr, flush=True)
    return Cost(
        median(cost.nodes for cost in measured),
        median(cost.database for cost in measured),
        median(cost.per_second for cost in measured),
    )


def _cost_with(followers: int, cluster: Cluster, seconds: float) -> Cost:
    """At a constant rate, senders and followers evenly at all nodes."""
    if not followers:
        return _cost_of(cluster, partial(_send_to_all, cluster, seconds, COST_RATE))
    peer = _peer_of(senders=cluster.nodes, listeners=cluster.nodes)
    with listening(peer, cluster.nodes[0], followers) as listeners:
        listeners.perform(f"rate 0.5 {COST_RATE}", may_be_busy=True)

        def work() -> float:
            run = listeners.perform(f"rate {seconds} {COST_RATE}", may_be_busy=True)
            return run.messages / seconds

        return _cost_of(cluster, work)


def _full_speed(cluster: Cluster, seconds: float) -> Cost:
    return _cost_of(cluster, partial(_send_to_all, cluster, seconds, None))


def _cost_of(cluster: Cluster, work: Callable[[], float]) -> Cost:
    """What each message cost that some work has brought about, which returns how many a second."""
    messages = cluster.messages()
    nodes_before, database_before = cluster.cpu_seconds()
    per_second = work()
    nodes_after, database_after = cluster.cpu_seconds()
    messages = cluster.messages() - messages
    return Cost(
        (nodes_after - nodes_before) / messages * 1e6,
        (database_after - database_before) / messages * 1e6,
        per_second,
    )


def _send_to_all(cluster: Cluster, seconds: float, rate: float | None) -> float:
    """Send to all nodes at once, without anybody who follows; the messages a second.

    :param rate: messages a second to all nodes together; a closed loop without it.
    """
    count = len(cluster.nodes)
    tokens = people.join(cluster.nodes[0], CONNECTIONS // count)
    script = load.script([load.sends(token) for token in tokens])
    rate_of_each = None if rate is None else rate / count
    with ThreadPoolExecutor(count) as threads:
        loads = [
            threads.submit(load.run, node, script, seconds, rate_of_each) for node in cluster.nodes
        ]
        return sum(each.result()["send"].per_second for each in loads)


def _peer_of(senders: Sequence[Server], listeners: Sequence[Server]) -> live_peers.Peer:
    """Whom ``listen.c`` asks: the nodes by turns."""

    def requests(server: Server, count: int) -> Requests:
        return replace(
            live_peers.chatter_requests(server, count),
            stream_ports=tuple(node.port for node in listeners),
            sender_ports=tuple(node.port for node in senders),
        )

    return live_peers.Peer("chatter's nodes", [], requests)


@contextmanager
def running_cluster(
    directory: Path, postgres: PostgresServer, count: int, options: Sequence[str] = ()
) -> Iterator[Cluster]:
    """Run so many nodes on an empty database of their own, with further options."""
    directory.mkdir(exist_ok=True)
    database = postgres.new_database()
    command = [*servers.chatter(postgres.url(database)), *options]
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(
                servers.running(f"node {number}", command, directory / f"node-{number}")
            )
            for number in range(count)
        ]
        yield Cluster(nodes, postgres, database)
