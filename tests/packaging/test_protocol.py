"""``docs/protocol.md``: each request that it shows gets the response that it shows."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from tests.packaging.replay import Recording, blocks_of
from tests.packaging.support import ROOT, server
from tests.ports import free_port

DOCUMENT = (ROOT / "docs/protocol.md").read_text()
BLOCKS = [block for block in blocks_of(DOCUMENT) if block.kind == "http"]
EXCHANGES = list(zip(BLOCKS[::2], BLOCKS[1::2], strict=True))


@pytest.fixture(scope="module")
def port(folder):
    """The port of a new server."""
    port = free_port()
    twistd = [sys.executable, Path(sys.executable).with_name("twistd"), "-n", "--pidfile="]
    options = ["--port", f"tcp:{port}:interface=127.0.0.1", "--store", "memory:"]
    with server([*twistd, "chatter", *options], f"http://127.0.0.1:{port}", folder):
        yield port


@pytest.fixture(scope="module")
def recording():
    return Recording({})


@pytest.mark.parametrize(
    ("request_", "response"),
    EXCHANGES,
    ids=[f"{request_.line} {request_.text.splitlines()[0]}" for request_, _ in EXCHANGES],
)
def test_a_request_gets_the_response_that_is_shown(port, recording, request_, response):
    """Every byte is the same, but for tokens, times and the server's name."""
    head, _, body = recording.now(request_.text).partition("\n\n")
    lines = "\r\n".join([*head.strip().splitlines(), "", body.strip()])
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(lines.encode() if body else f"{lines}\r\n".encode())
        said = ""
        while not recording.is_whole(response.text, said):
            piece = connection.recv(65536).decode()
            assert piece, said
            said += piece.replace("\r\n", "\n")
    recording.compare(response.text, said)
