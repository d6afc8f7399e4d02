"""How soon all that a user has open ends when the user is banned, at this node and at another.

Each time a new user has an event stream and a poll that waits at each of two nodes; a moderator at
the first node bans the user.
"""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
from statistics import median, quantiles
from typing import TYPE_CHECKING

from load import InvalidRunError
from nodes_database import database_server
from nodes_live import running_cluster
from people import Caller
from table import Table, Target

if TYPE_CHECKING:
    from pathlib import Path

    from servers import Server

BANS = 100
"""So many in each round, at least two rounds."""

TARGET = Target(100, at_least=False, unit="ms")

_LONGEST = 10
_ADMIN = "import sys; from chatter.admin.main import main; main()"


def bans(directory: Path, rounds: int, seconds: float) -> list[Table]:  # noqa: ARG001
    """From the request of a ban to the end of what is open."""
    columns = ["what ends", "bans", "from the request: p50 ms", "p99 ms", "max ms"]
    table = Table("A ban at one node, and what the user has open", columns)
    measured: dict[str, list[float]] = {}
    options = ["--admin", "unix:admin.sock"]
    with database_server() as postgres, running_cluster(directory, postgres, 2, options) as cluster:
        caller = Caller(cluster.nodes[0])
        moderator = caller.ask("POST", "/connect", body={"name": "moderator"})["token"]
        place = str(directory / "node-0" / "admin.sock")
        command = [sys.executable, "-c", _ADMIN, "--socket", place, "role", "moderator"]
        subprocess.run([*command, "moderator"], check=True, capture_output=True)
        for number in range(rounds * BANS):
            # An address that has had many rejections gets the next ones later.
            address = f"127.1.{number // 250}.{number % 250 + 1}"
            for what, milliseconds in _ban(cluster.nodes, caller, moderator, address).items():
                measured.setdefault(what, []).append(milliseconds)
        caller.close()
    for what, found in measured.items():
        p99 = quantiles(found, n=100)[98]
        cells = (f"{median(found):.1f}", f"{p99:.1f}", f"{max(found):.1f}")
        table.add(what, len(found), *cells, figure=p99, target=TARGET)
    return [table]


def _ban(nodes: list[Server], caller: Caller, moderator: str, address: str) -> dict[str, float]:
    """Ban a new user at an address; after how many milliseconds each thing has ended."""
    user = caller.ask("POST", "/connect")
    opened: dict[str, socket.socket] = {}
    for node, where in zip(nodes, ("this node", "the other node"), strict=True):
        opened[f"stream at {where}"] = _open(node, address, user["token"], "/events")
        opened[f"poll at {where}"] = _open(node, address, user["token"], "/status?wait=50")
    for what, connection in opened.items():
        if what.startswith("stream"):
            _read_head(connection)
    # A poll says nothing until it ends; by then it waits.
    time.sleep(0.02)
    body = json.dumps({"user_id": user["user_id"], "action": "ban"})
    began = time.perf_counter()
    opened["the response"] = _open(nodes[0], "127.0.0.1", moderator, "/moderate", body)
    ended: dict[str, float] = {}
    with selectors.DefaultSelector() as selector:
        for what, connection in opened.items():
            selector.register(connection, selectors.EVENT_READ, what)
        while len(ended) < len(opened):
            ready = selector.select(_LONGEST)
            if not ready:
                raise InvalidRunError(f"It does not end: {opened.keys() - ended.keys()}")
            milliseconds = (time.perf_counter() - began) * 1e3
            for key, _ in ready:
                _check(key.data, opened[key.data])
                ended[key.data] = milliseconds
                selector.unregister(key.fileobj)
    for connection in opened.values():
        connection.close()
    return ended


def _open(
    node: Server, address: str, token: str, path: str, body: str | None = None
) -> socket.socket:
    """Send a request from an address, and don't wait for the response."""
    place = ("127.0.0.1", node.port)
    connection = socket.create_connection(place, source_address=(address, 0))
    method, content = ("GET", "") if body is None else ("POST", body)
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n"
    connection.sendall(f"{head}Authorization: {token}\r\n\r\n{content}".encode())
    return connection


def _read_head(stream: socket.socket) -> None:
    """Read what an event stream begins with, in which there is no event."""
    received = b""
    while not received.endswith(b"retry: 1000\n\n"):
        received += stream.recv(65536)


def _check(what: str, connection: socket.socket) -> None:
    """See that something has ended as it should.

    :raises InvalidRunError: if not.
    """
    try:
        data = connection.recv(65536)
    except ConnectionResetError:
        data = b""
    if what.startswith("stream"):
        is_right = not data
    else:
        status = b"200" if what == "the response" else b"403"
        is_right = data.startswith(b"HTTP/1.1 " + status)
    if not is_right:
        raise InvalidRunError(f"{what} has got {data!r}")
