"""Several servers of one chat, and those who follow it at one of them."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from msgspec import json

from tests.e2e.server import Server
from tests.postgres.server import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def running_nodes(folder: Path, *urls: str, kind: type[Server] = Server) -> Iterator[list[Server]]:
    """Run a node for each URL of a database, all started at the same moment.

    :param kind: makes each server.

    Their logs must have no traceback and no password at the end.
    """
    nodes = []
    for number, url in enumerate(urls):
        place = folder / f"node-{number}"
        place.mkdir()
        nodes.append(kind(place, "--store", url, "--history", "0"))
    try:
        for node in nodes:
            node.launch()
        for node in nodes:
            node.wait_until_it_serves()
        yield nodes
    finally:
        with ExitStack() as ending:
            for node in nodes:
                ending.callback(node.__exit__)
    for node in nodes:
        log = node.log.read_text()
        assert "Traceback" not in log, log
        assert "Unhandled" not in log, log
        assert PASSWORD not in log, log


def wait_until(is_so: Callable[[], object], seconds: float = 60) -> float:
    """Wait until something is so; the seconds that took."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() < began + seconds, "it did not become so"
        time.sleep(0.01)
    return time.monotonic() - began


class Stream(threading.Thread):
    """Somebody who follows the chat at a node, over one connection.

    :ivar ids: of the messages that came.
    :ivar gaps: what is no longer kept of those.
    :ivar ended: whether the node has ended it.
    """

    def __init__(self, node: Server, token: str, after: int | None = None) -> None:
        super().__init__(daemon=True)
        self.ids: list[int] = []
        self.gaps: list[dict[str, Any]] = []
        self.ended = False
        connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60)
        path = "/events" if after is None else f"/events?after={after}"
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        # The connection hands it over to the response, which does not show it.
        self._socket: socket.socket = connection.sock
        self._response = connection.getresponse()
        assert self._response.status == 200
        self.start()

    def run(self) -> None:
        """Read until the end."""
        with suppress(OSError, ValueError, http.client.HTTPException):
            event, last_id = b"", 0
            for line in self._response:
                name, _, value = line.rstrip().partition(b":")
                if name == b"event":
                    event = value.strip()
                elif name == b"id":
                    last_id = int(value)
                elif name == b"data" and event == b"gap":
                    self.gaps.append(json.decode(value))
                elif name == b"data":
                    self.ids.append(last_id)
        self.ended = True

    def close(self) -> None:
        """Hang up."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.join(60)
        # Or to close what it reads from would wait for it, without an end.
        assert not self.is_alive(), "the stream does not end"
        self._response.close()
        self._socket.close()

    def __enter__(self) -> Stream:  # noqa: PYI034
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
