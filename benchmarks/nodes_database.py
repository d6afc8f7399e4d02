"""The PostgreSQL under the nodes: the one that the tests start, on the core of the load."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import tools

sys.path.insert(0, str(tools.HERE.parent))

from tests.postgres.server import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator

ON_DISK = Path("/var/tmp")
"""Where temporary files are that outlive a restart: not in memory, as /tmp may be."""


@contextmanager
def database_server() -> Iterator[PostgresServer]:
    """Run PostgreSQL as it comes, but on one core, while the block runs."""
    available = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {tools.cores()[1]})
    try:
        server = PostgresServer(place=ON_DISK)
    finally:
        os.sched_setaffinity(0, available)
    with server:
        yield server


def cpu_seconds(server: PostgresServer) -> float:
    """The processor time of all processes of a server up to now, also of those that have ended."""
    return sum(_ticks(server.pid)) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> Iterator[int]:
    fields = _fields(pid)
    # Its own, and that of children which it has waited for.
    yield sum(map(int, fields[11:15]))
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            yield sum(map(int, _fields(int(child))[11:13]))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended just now


def _fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
