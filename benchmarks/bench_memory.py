"""What many readers far behind cost the server's memory: each case may take less than 100 MB.

    python benchmarks/bench_memory.py            # all cases, about two minutes
    python benchmarks/bench_memory.py pages      # some: pages, streams, clients

- pages: 60 connections ask for pages of texts of control characters, and don't read.
- streams: 400 event streams begin far behind what the server has in memory.
- clients: 2,000 clients come back at once after a restart, half with streams, half with polls.

In the end all readers read on, and each must get every message once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import sys
import time
from hashlib import sha256
from typing import TYPE_CHECKING

import servers
import tools

from chatter.stores.sqlite.database import Database

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable
    from pathlib import Path

MOST_BYTES = 100_000_000
LARGE = "\x01" * 4096
"""The text that is largest when it is serialised: six bytes for each character."""

HOLD = 5.0
"""For so many seconds nobody reads."""

_ID = re.compile(rb"\nid: (\d+)\n")
_SENT = 1_767_225_600_000_000


def token_of(user_id: int) -> str:
    """The token of a user of a database made here."""
    return f"{user_id:064x}"


def make_database(path: Path, users: int, texts: Iterable[str]) -> None:
    """Make a database whose users have read nothing of some general messages."""
    connection = Database(path).connect()
    with connection:
        connection.executemany(
            "INSERT INTO users (id, name, folded_name, cursor, last_seen) VALUES (?, ?, ?, 0, ?)",
            ((n, f"user {n}", f"user {n}", _SENT) for n in range(1, users + 1)),
        )
        connection.executemany(
            "INSERT INTO tokens (user_id, hash, label, seen_at) VALUES (?, ?, '', ?)",
            ((n, sha256(token_of(n).encode()).digest(), _SENT) for n in range(1, users + 1)),
        )
        connection.executemany(
            "INSERT INTO log (id, sender_id, recipient_id, text, sent_at)"
            " VALUES (?, 1, NULL, ?, ?)",
            ((n, text, _SENT) for n, text in enumerate(texts, 1)),
        )
        connection.commit()
    connection.close()


class Watch:
    """Looks at a server's memory again and again.

    :ivar grown: by how many bytes it has grown at most.
    """

    def __init__(self, server: servers.Server) -> None:
        self._server = server
        self._before = server.resident_bytes()
        self.grown = 0

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.grown = max(self.grown, self._server.resident_bytes() - self._before)
            await asyncio.sleep(0.02)


async def watched(watch: Watch, run: Coroutine[None, None, None]) -> None:
    """Watch a server's memory while something runs."""
    task = asyncio.create_task(watch.run())
    try:
        await run
    finally:
        task.cancel()


async def connection(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that takes little unless it is read."""
    return await asyncio.open_connection("127.0.0.1", port, limit=64 * 1024)


def request(path: str, user_id: int) -> bytes:
    """A request of a user."""
    token = token_of(user_id)
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )


async def page(reader: asyncio.StreamReader) -> dict[str, object] | None:
    """The next response, if it is a page; ``None`` if the server could not serve."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    assert length is not None, head
    body = await reader.readexactly(int(length[1]))
    if head.startswith(b"HTTP/1.1 503"):
        return None
    assert head.startswith(b"HTTP/1.1 200"), head
    found: dict[str, object] = json.loads(body)
    return found


async def read_all(port: int, user_id: int, after: int, count: int) -> None:
    """Poll page after page, and see that each message comes once."""
    reader, writer = await connection(port)
    ids: list[int] = []
    more = True
    while more:
        writer.write(request(f"/status?after={after}&limit=1000", user_id))
        found = await page(reader)
        if found is None:
            await asyncio.sleep(1)
            continue
        ids += [message["id"] for message in found["messages"]]  # type: ignore[attr-defined, index]
        after, more = found["cursor"], found["more"]  # type: ignore[assignment]
    assert ids == list(range(count - len(ids) + 1, count + 1)), "something was missed"
    assert ids[-1] == count
    writer.close()


async def pages(server: servers.Server, count: int) -> None:
    """60 connections that don't read three pages each, and then do; six of them read it all."""
    connections = [await connection(server.port) for _ in range(60)]
    for number, (_, writer) in enumerate(connections, 1):
        writer.write(request("/status?after=0&limit=1000", number) * 3)
    await asyncio.sleep(HOLD)
    for reader, writer in connections:
        for _ in range(3):
            found = await page(reader)
            assert found is not None
            assert found["more"] is (count > 100)
        writer.close()
    await asyncio.gather(*[read_all(server.port, number, 0, count) for number in range(1, 7)])


async def follow(port: int, user_id: int, after: int, count: int, hold: float) -> None:
    """Follow after an id until the last message, and see that each comes once."""
    reader, writer = await connection(port)
    writer.write(request(f"/events?after={after}", user_id))
    await asyncio.sleep(hold)
    rest = b""
    while after < count:
        data = await reader.read(65536)
        assert data, f"the stream ended after {after} of {count}"
        data = rest + data
        for found in _ID.finditer(data):
            after += 1
            assert int(found[1]) == after, f"{int(found[1])} instead of {after}"
            rest_from = found.end()
        rest = data[max(len(data) - 40, rest_from if _ID.search(data) else 0) :]
    writer.close()


async def streams(server: servers.Server, count: int) -> None:
    """400 streams, of 25 users, which don't read for a while."""
    await asyncio.gather(
        *[follow(server.port, number // 16 + 1, 0, count, HOLD) for number in range(400)]
    )


async def clients(server: servers.Server, count: int) -> None:
    """2,000 clients that missed 500 messages, half of which follow, and half poll."""
    await asyncio.gather(
        *[
            follow(server.port, number, count - 500, count, 0)
            if number % 2
            else read_all(server.port, number, count - 500, count)
            for number in range(1, 2001)
        ]
    )


CASES = {
    "pages": (pages, 60, [LARGE] * 1000),
    "streams": (streams, 25, [LARGE] * 200),
    "clients": (clients, 2000, ["a text of an ordinary length, as people write them " * 2] * 5000),
}


def measured(name: str, directory: Path) -> bool:
    """Run a case on a server that has just started; whether it cost little enough."""
    run, users, texts = CASES[name]
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    make_database(directory / "chatter.sqlite", users, texts)
    command = servers.chatter("sqlite:chatter.sqlite")
    with servers.running("chatter", command, directory) as server:
        watch = Watch(server)
        began = time.perf_counter()
        asyncio.run(watched(watch, run(server, len(texts))))
        seconds = time.perf_counter() - began
    is_met = watch.grown < MOST_BYTES
    print(
        f"| {name} | {watch.grown / 1e6:.0f} MB | < {MOST_BYTES / 1e6:.0f} MB | "
        f"{'ok' if is_met else '**missed**'} | {seconds:.1f} s |",
        flush=True,
    )
    return is_met


def main() -> None:
    """Measure the cases that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cases", nargs="*", choices=[[], *CASES])
    names = parser.parse_args().cases or list(CASES)
    print("| case | grown by | target | | time |\n| --- | --- | --- | --- | --- |")
    met = [measured(name, tools.BUILD / "memory") for name in names]
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
