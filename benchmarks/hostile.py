"""What hostile connections do to honest clients: ``python benchmarks/hostile.py``.

Beside one and beside 32 connections that send without end, an honest client polls every
10 ms, and its latency counts.  Then 60 clients ask for as much as they can and do not
read, and the server's memory counts; some of them read in the end, and must get all of it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import selectors
import shutil
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING

import servers
import tools
from table import Table, Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.synchronize import Event

PAUSE = 0.01
CHUNK = 64 * 1024
TARGETS = {1: Target(50, at_least=False, unit="ms"), 32: Target(150, at_least=False, unit="ms")}
GREEDY = 60
READ = 10
TEXTS = 1000
MEASURES = ("latency", "memory")
MEMORY = Target(100, at_least=False, unit="MB")


@dataclass
class Person:
    """A user of the server that is attacked."""

    port: int
    token: str

    @classmethod
    def joined(cls, port: int) -> Person:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", "/connect")
        response = connection.getresponse()
        response.read()
        return cls(port, str(response.getheader("Authorization")))

    def head(self, target: str) -> bytes:
        lines = [
            f"GET {target} HTTP/1.1",
            "Host: localhost",
            f"Authorization: {self.token}",
            "",
            "",
        ]
        return "\r\n".join(lines).encode()


def attacks(person: Person) -> dict[str, bytes]:
    """What the hostile connections repeat."""
    return {
        "tiny requests": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "long queries": person.head("/status?" + "a&" * 3900),
        "long paths": person.head("/" * 7900),
        "polls": person.head("/status"),
    }


def attack(port: int, request: bytes, connections: int, end: Event) -> None:
    """Send a request over and over, as fast as the server takes it, and read the responses."""
    os.sched_setaffinity(0, {tools.cores()[1]})
    os.nice(5)  # The honest client has to see the server, not this process.
    repeated = request * max(1, CHUNK // len(request))
    selector = selectors.DefaultSelector()
    rests: dict[socket.socket, bytes] = {}
    for _ in range(connections):
        rests[begin(selector, port)] = b""
    while not end.is_set():
        for key, events in selector.select(0.1):
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            try:
                if events & selectors.EVENT_READ and not sock.recv(CHUNK):
                    raise ConnectionResetError
                if events & selectors.EVENT_WRITE:
                    rest = rests[sock] or repeated
                    rests[sock] = rest[sock.send(rest) :]
            except BlockingIOError:
                pass
            except OSError:
                selector.unregister(sock)
                sock.close()
                del rests[sock]
                rests[begin(selector, port)] = b""


def begin(selector: selectors.BaseSelector, port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setblocking(False)
    selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
    return sock


def honest_latencies(person: Person, seconds: float) -> list[float]:
    """How long each poll of an honest client takes, in milliseconds."""
    connection = socket.create_connection(("127.0.0.1", person.port), timeout=60)
    request = person.head("/status")
    found = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        before = time.perf_counter()
        connection.sendall(request)
        head = connection.recv(CHUNK)
        assert head.startswith(b"HTTP/1.1 200"), head
        found.append((time.perf_counter() - before) * 1000)
        time.sleep(PAUSE)
    return sorted(found)


def under_attack(port: int, seconds: float) -> Table:
    table = Table(
        "An honest client's poll beside hostile connections",
        ("beside", "connections", "p50 ms", "p99 ms", "longest ms"),
    )
    person = Person.joined(port)
    quiet = honest_latencies(person, seconds)
    table.add("nothing", 0, *percentiles(quiet))
    for name, request in attacks(person).items():
        for connections, target in TARGETS.items():
            end = multiprocessing.Event()
            process = multiprocessing.Process(
                target=attack, args=(port, request, connections, end), daemon=True
            )
            process.start()
            time.sleep(0.5)
            found = percentiles(honest_latencies(person, seconds))
            end.set()
            process.join()
            table.add(
                name,
                connections,
                *found,
                figure=float(found[1]),
                target=target,
                label=f"{name} by {connections}",
            )
            print(f"{name} by {connections} …", file=sys.stderr, flush=True)
    return table


def percentiles(found: list[float]) -> list[str]:
    at = [found[len(found) // 2], found[int(len(found) * 0.99)], found[-1]]
    return [f"{figure:.1f}" for figure in at]


def not_reading(server: servers.Server) -> Table:
    table = Table(
        f"{GREEDY} clients that do not read {TEXTS} texts of 4,096 control characters",
        ("", "MB"),
    )
    sender = Person.joined(server.port)
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    for number in range(TEXTS):
        body = json.dumps({"text": f"{number:06}" + "\x01" * 4090})
        headers = {"Authorization": sender.token, "Content-Type": "application/json"}
        connection.request("POST", "/send", body, headers)
        response = connection.getresponse()
        assert response.status == 200, response.read()
        response.read()
    before = server.resident_bytes()
    people = [Person.joined(server.port) for _ in range(GREEDY)]
    sockets = []
    for person in people:
        sock = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, CHUNK)
        sock.sendall(person.head(f"/status?after=0&limit={TEXTS}"))
        sockets.append(sock)
    time.sleep(3)
    grown = (server.resident_bytes() - before) / 1e6
    table.add(
        "how much the server's memory grew",
        f"{grown:.0f}",
        figure=grown,
        target=MEMORY,
        label="memory",
    )
    for person, sock in list(zip(people, sockets, strict=True))[:READ]:
        ids = [message["id"] for page in pages(person, sock) for message in page["messages"]]
        assert len(ids) == len(set(ids)) == TEXTS, f"a reader got {len(ids)} messages"
    return table


def pages(person: Person, sock: socket.socket) -> Iterator[dict[str, list[dict[str, int]]]]:
    """All pages that a client gets which reads on."""
    more = True
    while more:
        response = HTTPResponse(sock)
        response.begin()
        page = json.loads(response.read())
        yield page
        more = page["more"]
        if more:
            last = page["messages"][-1]["id"]
            sock.sendall(person.head(f"/status?after={last}&limit={TEXTS}"))


def main() -> int:
    """Measure, and return the exit status: 1 if a target was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("measure", nargs="*", choices=[[], *MEASURES])
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    options = parser.parse_args()
    tools.BUILD.mkdir(exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="run-", dir=tools.BUILD))
    missed = []
    try:
        for measure in options.measure or MEASURES:
            command = servers.chatter("memory:")
            with servers.running("chatter", command, directory / measure) as server:
                if measure == "latency":
                    table = under_attack(server.port, options.seconds)
                else:
                    table = not_reading(server)
                print(table, end="\n\n", flush=True)
                missed += table.missed
    finally:
        shutil.rmtree(directory)
    for line in missed:
        print(f"Missed: {line}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
