"""The load generator of ``load.c``: what it is given, and what it says."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import tools

if TYPE_CHECKING:
    from servers import Server

WARMUP_SECONDS = 0.5

BUSY = 0.9
"""A load generator that had something to do for more of the time measured itself."""


class InvalidRunError(Exception):
    """A run in which something was refused, lost or unanswered: its figures say nothing."""


@dataclass(frozen=True)
class Result:
    """What one run measured of one kind of request.

    :ivar server_us: processor time of the server for each request, of whatever kind.
    :ivar load_busy: in which share of the time the load generator had something to do.
    """

    per_second: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    body_bytes: float
    server_us: float
    load_busy: float


def request(method: str, path: str, token: str, body: object = None) -> bytes:
    """The bytes of a request, with the headers that a small client sends."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    if body is None:
        return head.encode() + b"\r\n"
    content = json.dumps(body).encode()
    head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


TEXTS = (
    "Hello, everybody! How are you all today?",
    "Quite well, thank you; and you yourself, if I may ask?",
    "Fine.",
)


def sends(token: str) -> list[tuple[str, bytes]]:
    """Some ``POST /send``, the same for all servers, with texts of several lengths."""
    return [("send", request("POST", "/send", token, {"text": text})) for text in TEXTS]


def script(connections: list[list[tuple[str, bytes]]]) -> bytes:
    """What the load generator reads: for each connection its requests and their kinds.

    A connection asks one after the other, and then the first one again.
    """
    lines = bytearray()
    for requests in connections:
        lines += b"connection\n"
        for kind, content in requests:
            lines += f"{kind} {len(content)}\n".encode() + content + b"\n"
    return bytes(lines)


def run(
    server: Server, script: bytes, seconds: float, rate: float | None = None
) -> dict[str, Result]:
    """Put load on a server; what was measured of each kind of request.

    :param rate: requests a second in an open loop; a closed loop without it.
    :raises InvalidRunError: if any request failed, or the load generator was too slow.
    """
    command = [str(tools.LOAD), "127.0.0.1", str(server.port), "--seconds", str(seconds)]
    command += ["--warmup", str(WARMUP_SECONDS)]
    if rate is not None:
        command += ["--rate", str(rate)]
    cpu_before = server.cpu_seconds()
    command = tools.pinned(command, tools.cores()[1])
    done = subprocess.run(command, input=script, capture_output=True, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace")
        raise InvalidRunError(f"The load on {server.name} failed: {said}")
    report = json.loads(done.stdout)
    if report["busy"] > BUSY:
        raise InvalidRunError(f"The load generator, not {server.name}, was the limit.")
    server_us = (server.cpu_seconds() - cpu_before) / report["all_responses"] * 1e6
    return {
        kind: Result(
            per_second=figures["per_second"],
            p50_ms=figures["p50_ms"],
            p99_ms=figures["p99_ms"],
            max_ms=figures["max_ms"],
            body_bytes=figures["body_bytes"],
            server_us=server_us,
            load_busy=report["busy"],
        )
        for kind, figures in report["kinds"].items()
    }
