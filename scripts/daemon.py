"""Starts the server in the background and stops it: ``make start`` and ``make stop``.

The server's state is one folder: the database, the log and the file with the process
id.  On that file the server holds a lock from its first moment to its last.  So an id
that is stale, or garbage, or another process's by now does no harm: whoever gets the lock
knows that no server runs.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from signal import SIGTERM
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence

START_PATIENCE = 30.0
STOP_PATIENCE = 10.0

LONGEST_SOCKET = 100
"""Systems take paths of sockets with about so many bytes; without one there is no --admin."""

LISTENS = re.compile(r"chatter listens on (.+)\.$", re.MULTILINE)
TCP_ADDRESS = re.compile(r"host='(.+)', port=(\d+)")
IN_USE = os.strerror(errno.EADDRINUSE)
ANOTHER_PORT = "Another port: make start PORT=8001"
FAILURE = re.compile(r"chatter(?::| can't start:) .*")


class State:
    """The folder, and what lies in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "chatter.log"
        self.pid = folder / "chatter.pid"
        self.admin = folder / "admin.sock"


def start(state: State, port: str, store: str, url: str, asked: Sequence[str]) -> None:
    """Start a server, unless one runs, and wait until it serves.

    :param url: where ``make client`` looks for a server.
    :param asked: which of ``PORT`` and ``STORE`` were asked for: a server that runs with
        another one is not what was wanted.
    """
    # Only here, for stopping works without chatter.
    from chatter.stores.registry import without_password  # noqa: PLC0415

    shown = {"PORT": port, "STORE": without_password(store)}
    state.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with state.pid.open("a+") as pid_file:
        if not lock(pid_file):
            runs, _, about = read(pid_file).partition("\n\n")
            running = dict(line.split("=", 1) for line in runs.splitlines() if "=" in line)
            for name in asked:
                if running.get(name, shown[name]) != shown[name]:
                    sys.exit(
                        f"chatter runs already, with another {name}={running[name]}.\n"
                        f"{about}Before it can be started otherwise, it has to be stopped."
                    )
            print(f"chatter runs already.\n{about}", end="")
            return
        state.log.touch()
        logged_before = state.log.stat().st_size
        server = launch(state, port, store, pid_file)
        try:
            write(pid_file, f"{server.pid}\n")
            address = wait_until_it_serves(server, port, state.log, logged_before)
        except BaseException:
            server.terminate()
            raise
        about = f"  address  {address}\n  store    {shown['STORE']}\n  log      {state.log}\n"
        if address == url:
            about += "To chat, in another terminal: make client\n"
        elif address.startswith("http:"):
            about += f"To chat, in another terminal: make client URL={address}\n"
        about += "To stop it: make stop\n"
        options = "".join(f"{name}={value}\n" for name, value in shown.items())
        write(pid_file, f"{options}\n{about}")
    print(f"chatter runs.\n{about}", end="")


def stop(state: State) -> None:
    """Stop the server, and wait until it has ended."""
    if not state.pid.exists():
        print("chatter does not run.")
        return
    with state.pid.open("a+") as pid_file:
        if lock(pid_file):
            print("chatter does not run.")
            return
        pid = server_of(pid_file, state)
        with suppress(ProcessLookupError):
            os.kill(pid, SIGTERM)
        deadline = time.monotonic() + STOP_PATIENCE
        while not lock(pid_file):
            if time.monotonic() > deadline:
                sys.exit(f"chatter (process {pid}) has not ended in {STOP_PATIENCE:.0f} seconds.")
            time.sleep(0.05)
        print("chatter has stopped.")


def lock(pid_file: TextIO) -> bool:
    """Try to get the lock of whoever runs the server."""
    try:
        fcntl.flock(pid_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    pid_file.truncate(0)
    return True


def write(pid_file: TextIO, text: str) -> None:
    """Add to what is known about the server."""
    pid_file.write(text)
    pid_file.flush()


def read(pid_file: TextIO) -> str:
    """All that is known about the server: its process id, and how to reach it."""
    pid_file.seek(0)
    return pid_file.read()


def launch(state: State, port: str, store: str, pid_file: TextIO) -> subprocess.Popen[bytes]:
    """Start twistd in a session of its own, with the lock."""
    twistd = [sys.executable, str(Path(sys.executable).with_name("twistd"))]
    options = ["--nodaemon", "--pidfile=", f"--logfile={state.log.absolute()}"]
    serving = ["--port", port, "--store", store]
    if len(os.fsencode(state.admin)) <= LONGEST_SOCKET:
        serving += ["--admin", "unix:" + re.sub(r"([\\:])", r"\\\1", str(state.admin))]
    with state.log.open("ab") as log:
        return subprocess.Popen(
            [*twistd, *options, "chatter", *serving],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[pid_file.fileno()],
        )


def wait_until_it_serves(
    server: subprocess.Popen[bytes], port: str, log: Path, logged_before: int
) -> str:
    """Wait until ``/health`` responds, if that can be asked over plain TCP; its address."""
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline:
        has_ended = server.poll() is not None
        logged = read_log(log, logged_before)
        if has_ended:
            reasons = FAILURE.findall(logged)
            reason = reasons[-1] if reasons else f"{logged}chatter could not start; see {log}."
            sys.exit(f"{reason}\n{ANOTHER_PORT}" if IN_USE in reason else reason)
        listens = LISTENS.search(logged)
        if listens is not None:
            if not port.startswith("tcp"):
                return port
            host, number = connectable(listens[1])
            if is_healthy(host, number):
                return f"http://{f'[{host}]' if ':' in host else host}:{number}"
        time.sleep(0.05)
    sys.exit(f"chatter did not respond for {START_PATIENCE:.0f} seconds; see {log}.")


def read_log(log: Path, start: int) -> str:
    """What was logged after a place in the log, which may have been rotated meanwhile."""
    with log.open("rb") as file:
        file.seek(start if log.stat().st_size >= start else 0)
        return file.read().decode(errors="replace")


def connectable(address: str) -> tuple[str, int]:
    """The host and the port to connect to, of an address as the log names it."""
    found = TCP_ADDRESS.search(address)
    if found is None:
        sys.exit(f"chatter listens on {address}, which is no TCP address.")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(found[1], found[1])  # noqa: S104
    return host, int(found[2])


def is_healthy(host: str, port: int) -> bool:
    """Whether the server says that it can serve."""
    connection = HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200  # noqa: PLR2004
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def server_of(pid_file: TextIO, state: State) -> int:
    """The process id of the server that holds the lock.

    The file may have been written to by hand, or the server may run in a container
    that shares the folder but not the process ids.  Only a process that has the file open
    is the server, so no other one is ended.
    """
    pid = read(pid_file).partition("\n")[0]
    is_known = pid.isdecimal()
    if is_known and Path("/proc/self").exists():
        is_known = has_open(pid, state.pid)
    if not is_known:
        sys.exit(f"chatter runs, but {state.pid} does not tell as which process.")
    return int(pid)


def has_open(pid: str, path: Path) -> bool:
    """Tell whether a process has a file open."""
    try:
        return any(
            file.samefile(path) for file in Path("/proc", pid, "fd").iterdir() if file.exists()
        )
    except OSError:
        return False


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the folder of the state")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("stop")
    starting = commands.add_parser("start")
    starting.add_argument("--port", required=True, help="a TCP port, or a Twisted endpoint")
    starting.add_argument("--store", required=True, help="as twistd chatter takes it")
    starting.add_argument("--url", default="", help="where make client looks for a server")
    starting.add_argument("--asked", default="", help="which of PORT and STORE were asked for")
    options = parser.parse_args()
    state = State(options.state)
    if options.command == "stop":
        stop(state)
    else:
        is_number = options.port.isdecimal()
        port = f"tcp:{options.port}:interface=127.0.0.1" if is_number else options.port
        start(state, port, options.store, options.url, options.asked.split())


if __name__ == "__main__":
    main()
