"""What signals do to a server: logs are opened anew, and it ends in order or not at all."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import time

import pytest

from tests.e2e.server import TWISTD, Server
from tests.ports import free_port


class LoggingServer(Server):
    """A server whose own log is a file."""

    def __init__(self, folder, *options):
        super().__init__(folder, *options)
        at = self._command.index("chatter")
        self._command[at:at] = [f"--logfile={folder}/twistd.log"]


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_logs_that_were_renamed_are_opened_anew(tmp_path):
    """After SIGHUP both logs go on in new files, the access log readable by its owner only."""
    log, access = tmp_path / "twistd.log", tmp_path / "access.log"
    with LoggingServer(tmp_path, "--store", "memory:", "--access-log", "access.log") as server:
        assert access.stat().st_mode & 0o777 == 0o600
        for path in (log, access):
            path.rename(f"{path}.old")
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: access.exists() and log.exists() and "anew" in log.read_text())
        server.connect()
    assert "chatter listens" in (tmp_path / "twistd.log.old").read_text()
    assert "chatter has stopped" in log.read_text()
    assert "Server Shut Down" in log.read_text()
    assert '"POST /connect HTTP/1.1" 200' in access.read_text()
    assert access.stat().st_mode & 0o777 == 0o600
    assert "/connect" not in (tmp_path / "access.log.old").read_text()


def test_logs_that_can_not_be_opened_anew_go_on_as_they_are(tmp_path):
    """The reason is logged, and nothing else changes."""
    folder = tmp_path / "logs"
    folder.mkdir()
    with LoggingServer(tmp_path, "--store", "memory:", "--access-log", "logs/access.log") as server:
        folder.rename(tmp_path / "moved")
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "can't be opened anew" in (tmp_path / "twistd.log").read_text())
        server.connect()
    assert "/connect" in (tmp_path / "moved" / "access.log").read_text()


@pytest.mark.parametrize("kind", [Server, LoggingServer])
def test_signals_that_end_nothing(tmp_path, kind):
    """SIGHUP, SIGUSR1 and SIGUSR2 let it serve on, whether its log is a file or not."""
    with kind(tmp_path, "--store", "memory:") as server:
        token = server.connect()["token"]
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP) * 3:
            server.process.send_signal(number)
            assert server.request("GET", "/status", token)[0] == 200
    assert "Traceback" not in server.log.read_text()
    if kind is LoggingServer:
        assert (tmp_path / "twistd.log.1").exists()
        assert "chatter has stopped" in (tmp_path / "twistd.log").read_text()


def test_a_terminal_that_goes_away_ends_it_in_order(tmp_path):
    """A server in the foreground of a terminal ends with it, as with SIGTERM."""
    ours, theirs = pty.openpty()
    command = [TWISTD, "-n", "--pidfile=", "chatter", "--port", str(free_port())]
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(
            # Whoever runs the tests may ignore the signal, as nohup does.
            ["env", "--default-signal=HUP", *command],
            cwd=tmp_path,
            stdin=theirs,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    os.close(theirs)
    wait_for(lambda: "chatter listens" in (tmp_path / "server.log").read_text())
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 0
    assert "chatter has stopped" in (tmp_path / "server.log").read_text()
    assert "Traceback" not in (tmp_path / "server.log").read_text()


def test_requests_that_end_after_a_stop_are_in_the_access_log(tmp_path):
    """The access log is closed only after the last response."""
    with Server(tmp_path, "--store", "memory:", "--access-log", "access.log") as server:
        token = server.connect()["token"]
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as waiting:
            waiting.sendall(
                f"GET /status?wait=60&after=9 HTTP/1.1\r\nHost: a\r\n"
                f"Authorization: {token}\r\n\r\n".encode()
            )
            assert server.request("GET", "/health")[0] == 200
            server.stop()
            assert waiting.recv(100).startswith(b"HTTP/1.1 200")
    assert "GET /status" in (tmp_path / "access.log").read_text()
