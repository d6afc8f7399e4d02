"""Many connections that do nothing, and many that send slowly, beside a chat that is used.

    python benchmarks/idle.py                    # 10,000 idle, 1,000 slow

It fails if the polls' p99 moves, if a connection costs a timer, or if it costs much memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from statistics import median

import tools
from twisted.internet import reactor
from twisted.web.resource import Resource

from chatter.chat import Chat
from chatter.chat.limits.rate_limits import NO_LIMITS
from chatter.stores.memory import MemoryStore
from chatter.web.root import ChatResource
from chatter.web.site import ChatSite

MOST_BYTES = 16 * 1024
"""An idle connection may cost so many bytes of the process, all of Twisted's included."""


def serve() -> None:
    """Serve a chat in memory on a free port, and tell which."""
    site: ChatSite

    class State(Resource):
        isLeaf = True  # noqa: N815

        def render_GET(self, request: object) -> bytes:  # noqa: ARG002, N802
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            return json.dumps(
                {
                    "connections": len(site.connections.open),
                    "timers": len(reactor.getDelayedCalls()),
                    "bytes": pages * os.sysconf("SC_PAGE_SIZE"),
                }
            ).encode()

    store = MemoryStore()
    store.startService()
    root = ChatResource(Chat(store, reactor), limits=NO_LIMITS)
    root.putChild(b"state", State())
    site = ChatSite(root, reactor, limits=NO_LIMITS)
    port = reactor.listenTCP(0, site, backlog=4096, interface="127.0.0.1")
    print(port.getHost().port, flush=True)
    reactor.run()


class Polls:
    """Polls at a fixed rate, each timed from when it was due."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._request = (
            f"GET /status HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\n\r\n".encode()
        )

    async def p99(self, rate: int, seconds: float) -> float:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        times = []
        due = time.perf_counter()
        end = due + seconds
        while due < end:
            await asyncio.sleep(due - time.perf_counter())
            writer.write(self._request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            times.append(time.perf_counter() - due)
            due += 1 / rate
        writer.close()
        return sorted(times)[int(len(times) * 0.99)] * 1000


async def drip(writer: asyncio.StreamWriter, request: bytes, pause: float) -> None:
    """Send a request a byte at a time, and never its end."""
    for byte in request:
        writer.write(bytes([byte]))
        await asyncio.sleep(pause)


async def opened(port: int, count: int) -> list[asyncio.StreamWriter]:
    """So many connections, on each of which a request was answered."""
    writers = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        writers.append(writer)
    return writers


def fetched(port: int, path: str, method: str = "GET") -> dict[str, object]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    with urllib.request.urlopen(request) as response:
        found: dict[str, object] = json.load(response)
        return found


async def measure(port: int, idle: int, slow: int, seconds: float) -> bool:
    """Measure without them and with them; whether all is well."""
    token = fetched(port, "/connect", "POST")["token"]
    polls = Polls(port, str(token))
    await polls.p99(200, 1)
    before = [await polls.p99(200, seconds) for _ in range(3)]
    empty = fetched(port, "/state")
    writers = await opened(port, idle)
    full = fetched(port, "/state")
    slow_writers = await opened(port, slow)
    request = b"POST /send HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 1000
    drips = [asyncio.create_task(drip(writer, request, 1)) for writer in slow_writers]
    after = [await polls.p99(200, seconds) for _ in range(3)]
    both = fetched(port, "/state")
    for task in drips:
        task.cancel()
    each = (int(str(full["bytes"])) - int(str(empty["bytes"]))) / idle
    timers = int(str(both["timers"])) - int(str(empty["timers"]))
    print(f"connections            {both['connections']}")
    print(f"bytes each, when idle  {each:,.0f}")
    print(f"more timers            {timers}")
    print(f"p99 of polls without   {median(before):.2f} ms")
    print(f"p99 of polls with      {median(after):.2f} ms")
    for writer in [*writers, *slow_writers]:
        writer.close()
    unmoved = median(after) < max(5, 2 * median(before))
    return unmoved and timers <= 1 and each < MOST_BYTES


def main() -> None:
    """Run the server beside the clients, each on its own core."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle", type=int, default=10_000)
    parser.add_argument("--slow", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    needed = options.idle + options.slow + 100
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            sys.exit(f"It needs {needed} open files; `ulimit -Hn` allows {hard}.")
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    server_core, load_core = tools.cores()
    server = subprocess.Popen(
        tools.pinned([sys.executable, __file__, "serve"], server_core),
        stdout=subprocess.PIPE,
        text=True,
    )
    os.sched_setaffinity(0, [load_core])
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        well = asyncio.run(measure(port, options.idle, options.slow, options.seconds))
    finally:
        server.terminate()
        server.wait()
    sys.exit(0 if well else "It is not as it should be.")


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        main()
