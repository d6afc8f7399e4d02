"""Many sends over one connection, while a browser reads."""

from __future__ import annotations

import json
import socket
import time

AT_ONCE = 200
"""So many requests are sent before their responses are read."""


def request(token: str, text: str) -> bytes:
    """A send to the general chat."""
    body = json.dumps({"text": text}).encode()
    head = f"POST /send HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def send_many(port: int, token: str, count: int, text: str = "message number") -> None:
    """Send numbered messages as fast as the server takes them."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        for start in range(0, count, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, count))
            connection.sendall(b"".join(request(token, f"{text} {n}") for n in numbers))
            _read(connection, len(numbers))


def send_steadily(port: int, token: str, per_second: int, seconds: float) -> None:
    """Send so many messages each second."""
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        for number in range(int(per_second * seconds)):
            time.sleep(max(0.0, began + number / per_second - time.perf_counter()))
            connection.sendall(request(token, f"steady message {number}"))
            _read(connection, 1)


def _read(connection: socket.socket, count: int) -> None:
    """Read so many responses.

    :raises RuntimeError: if one is an error.
    """
    received = b""
    while received.count(b'"sent_at"') < count:
        more = connection.recv(1 << 16)
        received += more
        if not more or b"HTTP/1.1 4" in received or b"HTTP/1.1 5" in received:
            raise RuntimeError(f"A send was refused: {received[:300]!r}")
