"""A real ``twistd chatter``, and plain requests to it."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.ports import free_port

TWISTD = shutil.which("twistd", path=str(Path(sys.executable).parent)) or "twistd"

SOON = 30
"""So many seconds an end takes at most, also on a machine that is busy.

What must not hold it up would do so for sixty.
"""


class Server:
    """A server in a process of its own.

    :param folder: where it runs, keeps its database and its log.
    :param options: further ones of ``twistd chatter``.

    :ivar options: those, for the next start.
    """

    def __init__(self, folder: Path, *options: str, prefix: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder / "server.log"
        self._command = [
            *prefix,
            *(TWISTD, "-n", "--pidfile=", "chatter"),
            *("--port", f"tcp:{self.port}:interface=127.0.0.1"),
            # Most tests ask for much at once; those of limits say which come after it.
            *("--limit", "none"),
            # So is the chat called in tests that write their requests themselves.
            *("--host", "a"),
        ]
        self.options = options
        self.process: Any = None

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it serves."""
        self.launch()
        self.wait_until_it_serves()

    def launch(self) -> None:
        """Start it, and don't wait."""
        with self.log.open("ab") as log:
            command = [*self._command, *self.options]
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def wait_until_it_serves(self) -> None:
        """Wait until the store is there and requests get responses."""
        deadline = time.monotonic() + 60
        while True:
            try:
                if self.request("GET", "/health")[0] == 200:
                    return
            except OSError:
                pass
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)

    def stop(self) -> float:
        """End it as an operator does; returns the seconds that took."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return time.monotonic() - began

    def __enter__(self) -> Server:  # noqa: PYI034
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()

    def request(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Send a request on a connection of its own; the status and the JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            return call(connection, method, path, token, body, headers)
        finally:
            connection.close()

    def connect(self, name: str | None = None) -> dict[str, Any]:
        """Join as a new user."""
        body = None if name is None else {"name": name}
        status, connected = self.request("POST", "/connect", body=body)
        assert status == 200, connected
        response: dict[str, Any] = connected
        return response


def call(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    token: str | None = None,
    body: object = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:
    """Send a request on a connection that may be used again."""
    sent = dict(headers or {})
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    if body is not None:
        sent["Content-Type"] = "application/json"
    content = None if body is None else json.dumps(body)
    connection.request(method, path, content, sent)
    response = connection.getresponse()
    data = response.read()
    return response.status, json.loads(data) if data else None
