"""Starting and stopping the servers that are measured, each pinned to one core."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import tools

if TYPE_CHECKING:
    from collections.abc import Iterator

PEERS = Path(__file__).parent / "peers"
START_SECONDS = 30
STOP_SECONDS = 10

Command = list[str]
"""A server's command line, in which ``PORT`` stands for the port."""


@dataclass(frozen=True)
class Server:
    """A server that runs.

    :ivar start_seconds: how long it took until it answered.
    """

    name: str
    port: int
    pid: int
    start_seconds: float

    def cpu_seconds(self) -> float:
        """The processor time of all its threads up to now."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        """The memory that it has in RAM."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


def chatter(store: str) -> Command:
    """The server that all this is about, as its users start it."""
    twistd = str(Path(sys.executable).parent / "twistd")
    port = "tcp:PORT:interface=127.0.0.1"
    # What floods on purpose has no limits.
    options = ["--limit", "none", "--store", store, "--port", port]
    return [twistd, "-n", "--pidfile=", "chatter", *options]


def plain_twisted(access_log: str = "default") -> Command:
    """Plain twisted.web, on the very Twisted that chatter runs on."""
    return [sys.executable, str(PEERS / "twisted_plain.py"), "PORT", access_log]


def fastapi(module: str) -> Command:
    """FastAPI on uvicorn with uvloop and httptools; without an access log."""
    uvicorn = [str(tools.PEERS_PYTHON), "-m", "uvicorn", "--log-level", "warning"]
    return [*uvicorn, "--app-dir", str(PEERS), "--port", "PORT", f"{module}:app"]


def aiohttp_echo() -> Command:
    """The server of aiohttp with its parser in C, on uvloop; without an access log."""
    return [str(tools.PEERS_PYTHON), str(PEERS / "aiohttp_echo.py"), "PORT"]


def synced_loop() -> Command:
    """A loop in C that responds to a send once the disk has something."""
    return [str(tools.compiled(PEERS / "synced.c")), "PORT"]


@contextmanager
def running(name: str, command: Command, directory: Path) -> Iterator[Server]:
    """Run a server in a directory, from when it responds to the end of the block.

    :raises RuntimeError: if it doesn't start; with the end of its output.
    """
    directory.mkdir(exist_ok=True)
    port = _free_port()
    arguments = [argument.replace("PORT", str(port)) for argument in command]
    is_ready = _is_healthy if "chatter" in command else _listens
    log_path = directory / "log"
    with log_path.open("ab") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            tools.pinned(arguments, tools.cores()[0]),
            cwd=directory,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    try:
        while not is_ready(port):
            if process.poll() is not None or time.perf_counter() > began + START_SECONDS:
                end = log_path.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{name} did not start:\n{end}")
            time.sleep(0.002)
        yield Server(name, port, process.pid, time.perf_counter() - began)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_healthy(port: int) -> bool:
    if not _listens(port):
        return False
    connection = HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    finally:
        connection.close()
