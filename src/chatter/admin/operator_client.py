"""The command's side of the operator's endpoint: one request, one response."""

from __future__ import annotations

import json
import os
import socket
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    import argparse

PLACES = ("var/admin.sock", "/run/chatter/admin.sock")
"""Where an endpoint is looked for that is not named."""

_PATIENCE = 600
"""A backup of a large database may take so many seconds."""

_OK = 200


class OperatorClient:
    """Makes requests of the endpoint of a server that runs.

    :param place: the path of a UNIX socket, or a port of 127.0.0.1; if it is ``None``, the first
        one of :data:`PLACES` that is there.
    :raises ValueError: if none is there.
    """

    def __init__(self, place: str | None) -> None:
        found = place or next((path for path in PLACES if Path(path).exists()), None)
        if found is None:
            raise ValueError(
                f"There is no {' and no '.join(PLACES)}. Name the socket of the server with "
                "--socket; the server makes it with twistd chatter --admin unix:PATH."
            )
        self._place = found

    @classmethod
    def of(cls, options: argparse.Namespace) -> OperatorClient:
        """The client for what the command line says.

        :raises ValueError: if no endpoint is named, and none is there.
        """
        return cls(options.socket)

    def get(self, path: str, **query: object) -> Any:
        """What a resource responds with.

        :raises ValueError: if it can't be reached, or refuses; the text is one line.
        """
        return self._request("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, **body: object) -> Any:
        """Have something done; what the response says of it.

        :raises ValueError: if it can't be reached, or refuses; the text is one line.
        """
        return self._request("POST", path, json.dumps(body))

    def _request(self, method: str, path: str, body: str | None = None) -> Any:
        connection = _Connection(self._place)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            status, content = response.status, response.read()
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise ValueError(f"No server can be reached at {self._place}: {reason}.") from None
        except HTTPException:
            raise ValueError(f"There is no operator's endpoint at {self._place}.") from None
        finally:
            connection.close()
        try:
            said = json.loads(content)
        except ValueError:
            raise ValueError(f"There is no operator's endpoint at {self._place}.") from None
        if status != _OK:
            raise ValueError(str(said.get("detail", "The server refuses.")))
        return said


class _Connection(HTTPConnection):
    """A connection to a UNIX socket, or to a port of this machine."""

    def __init__(self, place: str) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._place = place

    def connect(self) -> None:
        """Connect."""
        if self._place.isdecimal():
            self.sock = socket.create_connection(("127.0.0.1", int(self._place)), self.timeout)
            return
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._place)
