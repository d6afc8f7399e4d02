"""What people notice of abuse: twenty who chat, beside fifty addresses that do their worst.

The fifty join, flood, open streams that they never read, and try tokens, each in a loop without a
pause, from addresses 127.0.0.x.  The server has its default limits.  The people's requests
are timed by a process of their own.

    python benchmarks/abuse.py                 # ten minutes
    python benchmarks/abuse.py --seconds 60
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections import Counter
from contextlib import suppress
from itertools import cycle
from multiprocessing import Process, Queue
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import servers
import tools
from msgspec import json
from table import Table, Target

PEOPLE = 20
ADDRESSES = 50
STREAMS_HELD = 10.0
MIB = 2**20

MOST_MEMORY = Target(300, at_least=False, unit="MiB")
MOST_LATENCY = Target(50, at_least=False, unit="ms")


class Client:
    """One connection at a time, from one address, which is made again when it was closed."""

    def __init__(self, port: int, address: str) -> None:
        self._port = port
        self._address = address
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None

    async def ask(
        self, method: str, path: str, token: str | None = None, body: object = None
    ) -> tuple[int, bytes]:
        """The status and the body of a response.

        :raises OSError: if the connection is refused or closed.
        """
        await self.begin(method, path, token, body)
        status, length = await self._head()
        return status, await self._reader.readexactly(length)

    async def begin(
        self, method: str, path: str, token: str | None = None, body: object = None
    ) -> None:
        """Send a request."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(
                "127.0.0.1", self._port, local_addr=(self._address, 0)
            )
        content = b"" if body is None else json.encode(body)
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(content)}"]
        lines += [] if token is None else [f"Authorization: Bearer {token}"]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + content)

    async def _head(self) -> tuple[int, int]:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
        return int(head[0].split()[1]), int(headers.get("content-length", 0))

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


async def join(client: Client) -> str:
    """The token of a new user, or none where the address may have no more."""
    _, body = await client.ask("POST", "/connect", body={})
    token: str = json.decode(body).get("token", "")
    return token


# What one abuser does, once


async def joins(client: Client, _: str) -> int:
    """Take another name."""
    return (await client.ask("POST", "/connect", body={}))[0]


async def floods(client: Client, token: str) -> int:
    """Send as long a text as there is."""
    return (await client.ask("POST", "/send", token, {"text": "flood " * 680}))[0]


async def guesses(client: Client, _: str) -> int:
    """Try a token."""
    return (await client.ask("GET", "/status", f"{random.getrandbits(256):064x}"))[0]


async def streams(client: Client, token: str) -> int:
    """Follow from the start, and read nothing but the head."""
    await client.begin("GET", "/events?after=0", token)
    status, _ = await client._head()  # noqa: SLF001
    if status == 200:
        await asyncio.sleep(STREAMS_HELD * random.random())
    client.close()
    return status


async def abuse(port: int, address: str, do: Any, until: float, seen: Counter[str]) -> None:
    """Do one thing again and again."""
    client = Client(port, address)
    token = ""
    with suppress(OSError, EOFError):
        token = await join(client)
    while time.monotonic() < until:
        try:
            seen[str(await do(client, token))] += 1
        except (OSError, EOFError):
            seen["closed"] += 1
            client.close()
            await asyncio.sleep(0.001)
    client.close()


def abuse_all(port: int, seconds: float, results: Queue[Any]) -> None:
    """Run all abusers; what each kind was told goes to the queue."""
    # The people who are measured have the same core.
    os.nice(5)
    kinds = [joins, floods, guesses, streams]
    seen: dict[str, Counter[str]] = {do.__name__: Counter() for do in kinds}
    until = time.monotonic() + seconds

    async def run() -> None:
        await asyncio.gather(
            *(
                abuse(port, f"127.0.0.{2 + number}", do, until, seen[do.__name__])
                for number in range(ADDRESSES)
                for do in kinds
            )
        )

    asyncio.run(run())
    results.put(seen)


async def chat(port: int, number: int, until: float, took: dict[str, list[float]]) -> None:
    """Somebody who now and then writes, and reads."""
    client = Client(port, f"127.0.1.{1 + number}")
    token = await join(client)
    asks: Any = cycle(
        [
            ("send", "POST", "/send", {"text": "Good evening, how are you?"}),
            ("poll", "GET", "/status?limit=20", None),
        ]
    )
    while time.monotonic() < until:
        await asyncio.sleep(random.uniform(0.5, 1.5))
        what, method, path, body = next(asks)
        began = time.perf_counter()
        status, _ = await client.ask(method, path, token, body)
        took[what].append((time.perf_counter() - began) * 1000)
        if status != 200:
            sys.exit(f"Somebody's {what} got {status}.")
    client.close()


async def watch(until: float, late: list[float]) -> None:
    """Note by how many milliseconds this process itself is late, where the machine has no time."""
    while (began := time.monotonic()) < until:
        await asyncio.sleep(0.02)
        late.append((time.monotonic() - began - 0.02) * 1000)


def _p99(figures: list[float]) -> float:
    return quantiles(figures, n=100)[98]


def measure(seconds: float, folder: Path) -> Table:
    """Run it, and say what people and the machine noticed."""
    database = folder / "chat.sqlite"
    command = servers.chatter(f"sqlite:{database}")
    place = command.index("--limit")
    del command[place : place + 2]
    table = Table(f"{PEOPLE} people beside {ADDRESSES} addresses of abusers", ["what", "figures"])
    took: dict[str, list[float]] = {"send": [], "poll": []}
    late: list[float] = []
    results: Queue[Any] = Queue()
    with servers.running("chatter", command, folder / "server") as server:
        os.sched_setaffinity(0, {tools.cores()[1]})
        before = server.resident_bytes()
        abusers = Process(target=abuse_all, args=(server.port, seconds, results))
        abusers.start()
        until = time.monotonic() + seconds

        async def run() -> None:
            people = (chat(server.port, n, until, took) for n in range(PEOPLE))
            await asyncio.gather(watch(until, late), *people)

        asyncio.run(run())
        seen = results.get()
        abusers.join()
        after = server.resident_bytes()
    for what, latencies in took.items():
        p99 = _p99(latencies)
        figures = f"{len(latencies):,}, p50 {median(latencies):.1f} ms, p99 {p99:.1f} ms"
        table.add(f"people's {what}s", figures, figure=p99, target=MOST_LATENCY)
    table.add("the measurement itself is late", f"p99 {_p99(late):.1f} ms")
    for kind, statuses in seen.items():
        counts = ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
        table.add(f"abusers: {kind}", counts)
    memory = f"{before / MIB:.0f} MiB before, {after / MIB:.0f} MiB after"
    table.add("the server's memory", memory, figure=after / MIB, target=MOST_MEMORY)
    size = sum(file.stat().st_size for file in folder.glob("chat.sqlite*")) / MIB
    table.add("the database", f"{size:.1f} MiB, {size * 60 / seconds:.1f} MiB a minute")
    return table


def main() -> None:
    """Parse the arguments, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    options = parser.parse_args()
    tools.BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=tools.BUILD) as folder:
        table = measure(options.seconds, Path(folder))
    print(table)
    sys.exit("\n".join(table.missed) or None)


if __name__ == "__main__":
    main()
