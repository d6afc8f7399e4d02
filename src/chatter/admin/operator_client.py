"""The command's side of the operator's endpoint: one request, one response."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from chatter.system_errors import reason_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

PLACES = ("var/admin.sock", "/run/chatter/admin.sock")
"""Where an endpoint is looked for that is not named."""

_PATIENCE = 30
"""So many seconds may pass until the server responds."""

_LONG_PATIENCE = 600
"""So many for what goes through the whole database."""

_LONG = ("/backup", "/erase", "/export")

_OK = 200
_UNAUTHORIZED = 401

_LARGEST_PORT = 65535

_BLOCK = 65536

_LARGEST = 64 * 1024 * 1024
"""A response that is read whole has at most so many bytes."""


class OperatorClient:
    """Makes requests of the endpoint of a server that runs.

    :param place: the path of a UNIX socket, or a port of 127.0.0.1; if it is ``None``, the first
        one of :data:`PLACES` that is there.
    :raises ValueError: if none is there, or the place is neither.
    """

    def __init__(self, place: str | None) -> None:
        found = place
        if found is None:
            found = next((path for path in PLACES if Path(path).exists()), None)
        if found is None:
            raise ValueError(
                f"There is no {' and no '.join(PLACES)}. Name the socket of the server with "
                "--socket; the server makes it with twistd chatter --admin unix:PATH."
            )
        if not _is_place(found):
            raise ValueError(
                f"--socket {found!r}: write the path of a UNIX socket, or a port of 127.0.0.1."
            )
        self._place = found

    @classmethod
    def of(cls, options: argparse.Namespace) -> OperatorClient:
        """The client for what the command line says.

        :raises ValueError: if no endpoint is named, and none is there; or a store is.
        """
        if options.store is not None:
            raise ValueError("This needs the server that runs: leave out --store.")
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
        # As UTF-8, so that what is no text is found here; JSON's escapes would send it on.
        return self._request("POST", path, json.dumps(body, ensure_ascii=False).encode())

    def download(self, path: str, write: Callable[[bytes], None], **query: object) -> int:
        """Write the lines that a resource responds with.

        :param write: may raise anything but an ``OSError``, which would count as a lost
            connection.
        :returns: how many.
        :raises ValueError: if it can't be reached, or refuses.
        """
        lines = 0
        target = f"{path}?{urlencode(query)}"
        with self._response("GET", target) as response:
            while block := response.read(_BLOCK):
                lines += block.count(b"\n")
                write(block)
            if response.length:
                raise IncompleteRead(b"", response.length)
        return lines

    def _request(self, method: str, path: str, body: bytes | None = None) -> Any:
        with self._response(method, path, body) as response:
            return _json_of(response)

    @contextmanager
    def _response(
        self, method: str, path: str, body: bytes | None = None
    ) -> Iterator[HTTPResponse]:
        """What a resource responds with, whose body is read in the block."""
        patience = _LONG_PATIENCE if path.partition("?")[0] in _LONG else _PATIENCE
        connection = _Connection(self._place, patience)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            if response.status != _OK:
                raise ValueError(_detail_of(response))
            yield response
        except TimeoutError:
            raise ValueError(
                f"The server at {self._place} has not responded within {patience} seconds. What "
                "was requested may still be done."
            ) from None
        except OSError as error:
            raise ValueError(
                f"No server can be reached at {self._place}: {reason_of(error)}."
            ) from None
        except IncompleteRead:
            raise ValueError("The server has ended its response before it was whole.") from None
        except (HTTPException, json.JSONDecodeError, LookupError):
            raise ValueError(f"There is no operator's endpoint at {self._place}.") from None
        finally:
            connection.close()


def _detail_of(response: HTTPResponse) -> str:
    """Why the endpoint refuses.

    :raises LookupError: if the response is not the endpoint's.
    """
    if response.status == _UNAUTHORIZED:
        raise LookupError("It is where users send requests; the operator needs no token.")
    detail: str = _json_of(response)["detail"]
    return detail


def _json_of(response: HTTPResponse) -> Any:
    """The body of a response.

    :raises LookupError: if it has more bytes than any of the endpoint's.
    """
    body = response.read(_LARGEST + 1)
    if len(body) > _LARGEST:
        raise LookupError("The response has no end.")
    if response.length:
        raise IncompleteRead(body, response.length)
    return json.loads(body)


def _is_place(place: str) -> bool:
    if place.isdecimal():
        return len(place) <= len(str(_LARGEST_PORT)) and int(place) <= _LARGEST_PORT
    # What has a colon, and is no path, is an endpoint or a URL.
    return bool(place) and (":" not in place or Path(place).exists())


class _Connection(HTTPConnection):
    """A connection to a UNIX socket, or to a port of this machine."""

    def __init__(self, place: str, patience: float) -> None:
        super().__init__("localhost", timeout=patience)
        self._place = place

    def connect(self) -> None:
        """Connect."""
        if self._place.isdecimal():
            self.sock = socket.create_connection(("127.0.0.1", int(self._place)), self.timeout)
            return
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._place)
