"""Users of the chatter under test: how they join, and single requests of theirs."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from servers import Server


class Caller:
    """Asks one thing after the other over one connection."""

    def __init__(self, server: Server) -> None:
        self._connection = HTTPConnection("127.0.0.1", server.port, timeout=30)

    def ask(self, method: str, path: str, token: str | None = None, body: Any = None) -> Any:
        """The JSON of a response.

        :raises RuntimeError: if it is an error.
        """
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = None if body is None else json.dumps(body)
        self._connection.request(method, path, content, headers)
        response = self._connection.getresponse()
        data = response.read()
        if response.status != 200:
            raise RuntimeError(f"{method} {path} got {response.status}: {data!r}")
        return json.loads(data)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def join(server: Server, count: int) -> list[str]:
    """The tokens of so many new users."""
    caller = Caller(server)
    tokens = [caller.ask("POST", "/connect")["token"] for _ in range(count)]
    caller.close()
    return tokens


def expect_unread(server: Server, tokens: Iterable[str], path: str, count: int) -> None:
    """See that a poll responds with what the benchmark is about.

    :raises RuntimeError: if it has another number of messages.
    """
    caller = Caller(server)
    for token in tokens:
        found = len(caller.ask("GET", path, token)["messages"])
        if found != count:
            raise RuntimeError(f"GET {path} has {found} messages, not {count}.")
    caller.close()
