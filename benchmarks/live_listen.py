"""The listeners of ``listen.c``: opened, told what to do, and what they say."""

from __future__ import annotations

import json
import resource
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tools
from load import BUSY, InvalidRunError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_peers import Peer
    from servers import Server

SOURCE = tools.HERE / "listen.c"
LISTEN = tools.BUILD / "listen"
FAREWELL_SECONDS = 0.5


@dataclass(frozen=True)
class Delivery:
    """What one run measured.

    :ivar per_second: deliveries, each of one message to one listener.
    :ivar server_us: processor time of the server for each of them.
    :ivar answered_p99_ms: from the response to the send to the arrival.
    :ivar sent_p50_ms: from the send to the arrival.
    :ivar load_busy: which share of the time the listener had something to read.
    """

    per_second: float
    server_us: float
    messages: int
    sent_p50_ms: float
    sent_p99_ms: float
    answered_p50_ms: float
    answered_p99_ms: float
    answered_max_ms: float
    load_busy: float


def allow_open_files() -> int:
    """Raise the limit of open files, which the servers inherit; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Listeners:
    """So many open streams of a server, and those who send to it."""

    def __init__(self, server: Server, process: subprocess.Popen[bytes]) -> None:
        self._server = server
        self._process = process

    def perform(self, command: str, *, may_be_busy: bool = False) -> Delivery:
        """Have messages sent, and wait until all have arrived everywhere.

        :param command: of those that ``listen.c`` knows.
        :param may_be_busy: whether the listener may be the bottleneck.
        :raises InvalidRunError: if not each message came to each stream once.
        """
        before = self._server.cpu_seconds()
        report = self.tell(f"{command}\n".encode())
        cpu = self._server.cpu_seconds() - before
        if report["busy"] > BUSY and not may_be_busy:
            raise InvalidRunError(f"The listener, not {self._server.name}, was the limit.")
        return Delivery(
            per_second=report["per_second"],
            server_us=cpu / max(report["deliveries"], 1) * 1e6,
            messages=report["messages"],
            sent_p50_ms=report["sent_p50_ms"],
            sent_p99_ms=report["sent_p99_ms"],
            answered_p50_ms=report["answered_p50_ms"],
            answered_p99_ms=report["answered_p99_ms"],
            answered_max_ms=report["answered_max_ms"],
            load_busy=report["busy"],
        )

    def tell(self, line: bytes) -> dict[str, Any]:
        """Answer what the listener says to a line.

        :raises InvalidRunError: if something went wrong.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()
        report: dict[str, Any] = json.loads(self._process.stdout.readline() or "{}")
        if not report.get("valid"):
            wrong = report.get("wrong", "it ended")
            raise InvalidRunError(f"The listener of {self._server.name}: {wrong}")
        return report


@contextmanager
def listening(peer: Peer, server: Server, count: int) -> Iterator[Listeners]:
    """Open so many streams, from the end of what was sent, to the end of the block.

    :raises InvalidRunError: if not all could be opened.
    """
    script = peer.requests(server, count).script()
    command = tools.pinned([str(LISTEN), "127.0.0.1", str(server.port)], tools.cores()[1])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            listeners = Listeners(server, process)
            listeners.tell(script)
            yield listeners
        finally:
            process.kill()
            # The next one to be measured shall not pay for the farewell of these.
            process.wait()
            time.sleep(FAREWELL_SECONDS)
