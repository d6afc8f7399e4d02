"""What sends wait for while most of a long log is deleted.

A store with a long log gets messages at a fixed rate, first by itself and then while all the
old ones are deleted.  Latency counts from when a message is due, so that a store that stalls
hides nothing.

    python benchmarks/retention.py                                  # SQLite
    python benchmarks/retention.py --store postgresql://HOST/DATABASE   # an empty database
    python benchmarks/retention.py --messages 100000 --seconds 5    # a short run
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timezone
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import log_maker
import tools
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import LoopingCall, deferLater, react

from chatter.clocks import use_monotonic_time
from chatter.protocol.model import Draft
from chatter.stores.copying import copy
from chatter.stores.postgres.copying import PostgresSide
from chatter.stores.registry import make_store
from chatter.stores.sqlite.copying import SQLiteSide

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_USERS = 1000
_TEXT = "Hello, everybody! This is one of a thousand messages a second."


class Load:
    """Appends messages at a fixed rate, and notes how long each takes."""

    def __init__(self, reactor: Any, store: Any, rate: int) -> None:
        self._reactor = reactor
        self._store = store
        self._rate = rate
        self._sent = 0
        self._began = 0.0
        self._latencies: list[float] = []

    async def run(self, until: Callable[[], Awaitable[bool]]) -> list[float]:
        """The latencies, in milliseconds, until something is so, which is looked at each second."""
        self._began, self._sent, self._latencies = self._reactor.seconds(), 0, []
        ticking = LoopingCall(self._send_due)
        ticking.clock = self._reactor
        ticked = ticking.start(0.001)
        while not await until():
            await deferLater(self._reactor, 1)
        ticking.stop()
        await ticked
        while len(self._latencies) < self._sent:
            await deferLater(self._reactor, 0.01)
        return self._latencies

    def _send_due(self) -> None:
        now = self._reactor.seconds()
        while (due := self._began + self._sent / self._rate) <= now:
            self._sent += 1
            ensureDeferred(self._send(due)).addErrback(_give_up)

    async def _send(self, due: float) -> None:
        sender_id = 1 + self._sent % _USERS
        recipient_id = 1 + self._sent * 7 % _USERS if self._sent % 2 else None
        now = datetime.now(timezone.utc)
        await self._store.append(Draft(sender_id, recipient_id, _TEXT, now))
        self._latencies.append((self._reactor.seconds() - due) * 1000)


def _give_up(failure: Any) -> None:
    sys.exit(f"A message could not be appended: {failure.value}")


async def measure(reactor: Any, location: str, seconds: float, rate: int) -> None:
    """Measure a store with a long log, and print what was measured."""
    store = make_store(location, reactor)
    await store.startService()
    old = await store.last_id()
    load = Load(reactor, store, rate)

    def after(seconds: float) -> Callable[[], Awaitable[bool]]:
        end = reactor.seconds() + seconds

        async def is_over() -> bool:
            return reactor.seconds() >= end

        return is_over

    await load.run(after(2))
    _print("nothing is deleted", await load.run(after(seconds)))
    await store.trim(old)
    began, left_at_first = reactor.seconds(), await _left(store, old)
    is_over = after(seconds)

    async def is_done() -> bool:
        return await is_over() or not await _left(store, old)

    _print("old messages are deleted", await load.run(is_done))
    elapsed, left = reactor.seconds() - began, await _left(store, old)
    print(f"{(left_at_first - left) / elapsed:10,.0f} rows/s deleted, {left:,} left of {old:,}")
    await store.stopService()


async def _left(store: Any, old: int) -> int:
    """How many old messages are left: they go in their order, so the first one is looked for."""
    low, high = 0, old
    while low < high:
        middle = (low + high) // 2
        if any(await store.count_messages(middle, middle + 1)):
            high = middle
        else:
            low = middle + 1
    return old - low


def _print(what: str, latencies: list[float]) -> None:
    cuts = quantiles(latencies, n=1000)
    print(
        f"{len(latencies):10,} sends while {what}: p50 {median(latencies):.1f} ms, "
        f"p99 {cuts[989]:.1f} ms, p99.9 {cuts[998]:.1f} ms, most {max(latencies):.1f} ms",
        flush=True,
    )


def _fill(location: str, path: Path, messages: int) -> str:
    """Make the long log; returns where it is."""
    log_maker.make_log(path, messages, _USERS)
    if location == "sqlite:":
        return f"sqlite:{path}"
    source, target = SQLiteSide.existing(path), PostgresSide(location)
    copy(source, target, lambda _, __: None)
    for side in (source, target):
        side.close()
    return location


def main() -> None:
    """Parse the arguments, make the log, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", default="sqlite:", help="an empty PostgreSQL database")
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=60, help="how long each part takes")
    parser.add_argument("--rate", type=int, default=1000, help="sends in a second")
    options = parser.parse_args()
    tools.BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=tools.BUILD) as folder:
        location = _fill(options.store, Path(folder, "chat.sqlite"), options.messages)

        def run(reactor: Any) -> Deferred[None]:
            use_monotonic_time(reactor)
            measuring = measure(reactor, location, options.seconds, options.rate)
            return Deferred.fromCoroutine(measuring)

        react(run)


if __name__ == "__main__":
    main()
