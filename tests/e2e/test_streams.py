"""Event streams of a real server: how many there may be, and how they end with it."""

from __future__ import annotations

import re
import socket
from http.client import HTTPConnection

import pytest

from tests.e2e.server import SOON, Server, call

FEW_FILES = "ulimit -n 300; ulimit -S -n 64; exec " + '"$@"'


def listen(server, token):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    connection.sendall(
        f"GET /events HTTP/1.1\r\nHost: a\r\nAuthorization: {token}\r\n\r\n".encode()
    )
    return connection


def status_of(connection):
    """The status, and where it is no stream the head of the response."""
    said = connection.recv(4096).decode()
    return int(said.split()[1]), said.partition("\r\n\r\n")[0]


def hang_up(connections):
    for connection in connections:
        connection.close()


@pytest.mark.parametrize(
    ("options", "prefix", "most"),
    [
        (("--max-streams", "20"), (), 20),
        # The soft limit of 64 is raised to the hard one, of which 200 are for all else.
        ((), ("bash", "-c", FEW_FILES, "bash"), 100),
    ],
)
def test_as_many_streams_as_there_may_be(tmp_path, options, prefix, most):
    """Who comes next gets 503 with Retry-After, until there is room; all else goes on."""
    with Server(tmp_path, "--store", "memory:", *options, prefix=prefix) as server:
        tokens = [server.connect()["token"] for _ in range(most // 16 + 1)]
        streams = [listen(server, tokens[number // 16]) for number in range(most)]
        assert {status_of(stream)[0] for stream in streams} == {200}
        refused = listen(server, tokens[-1])
        status, head = status_of(refused)
        assert status == 503
        assert re.search(r"^Retry-After: [1-9]", head, re.MULTILINE)
        assert server.request("POST", "/send", tokens[0], {"text": "hello"})[0] == 200
        hang_up([*streams, refused])
    assert "Traceback" not in server.log.read_text()


def test_streams_end_with_the_server(tmp_path):
    """Each is whole up to its end, and one that takes nothing does not hold up the end."""
    with Server(tmp_path, "--store", "memory:") as server:
        token = server.connect()["token"]
        reading, stalled = listen(server, token), listen(server, token)
        assert status_of(reading)[0] == status_of(stalled)[0] == 200
        received = b""
        sender = HTTPConnection("127.0.0.1", server.port, timeout=60)
        for _ in range(500):
            call(sender, "POST", "/send", token, {"text": "x" * 4000})
            received += reading.recv(1024 * 1024)
        sender.close()
        assert server.stop() < SOON
        while piece := reading.recv(1024 * 1024):
            received += piece
        assert received.endswith(b"\n\n")
        assert received.count(b"\ndata: ") == 500
        hang_up([reading, stalled])
    assert "Traceback" not in server.log.read_text()
