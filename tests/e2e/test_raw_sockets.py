"""What clients send who mean no good, over real sockets to a real server."""

from __future__ import annotations

import json
import socket
import struct
import time

import pytest

from tests.e2e.server import SOON, Server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("raw"), "--access-log", "access.log") as server:
        yield server
        log = server.log.read_text()
        assert "Traceback" not in log, log
        assert "secret" not in log + (server.folder / "access.log").read_text()


@pytest.fixture(autouse=True)
def still_well(server):
    """Whatever was sent, the server serves the next one."""
    yield
    assert server.request("GET", "/health") == (200, {"status": "OK"})


@pytest.fixture
def token(server):
    token = server.connect()["token"]
    yield token
    assert token not in server.log.read_text() + (server.folder / "access.log").read_text()


UNREAD = 50
"""So many long messages, and those before them, are one page."""


def dial(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def dial_narrowly(server):
    """A connection that takes little before it is read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", server.port))
    return connection


def talk(server, *pieces, shut=False):
    """Send pieces; all that comes back until the server closes the connection."""
    with dial(server) as connection:
        for piece in pieces:
            connection.sendall(piece)
        if shut:
            connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def read_all(connection):
    response = b""
    while True:
        try:
            data = connection.recv(65536)
        except ConnectionResetError:
            return response
        if not data:
            return response
        response += data


def statuses(response):
    return [int(part[:3]) for part in response.split(b"HTTP/1.1 ")[1:]]


def post(token, body, *headers, path="/send", close=True):
    head = [f"POST {path} HTTP/1.1", "Host: a", f"Authorization: Bearer {token}", *headers]
    if close:
        head.append("Connection: close")
    if not any("ength" in header or "ncoding" in header for header in headers):
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


GET = b"GET /health HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 14", "Content-Length: 14"),
        ("Content-Length: 14", "Content-Length: 15"),
        ("Content-Length: 14, 14",),
        ("Content-Length: 14", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 14"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: xchunked",),
        ("Content-Length: +14",),
        ("Content-Length: 1e1",),
        ("Content-Length: -1",),
        ("Content-Length: " + "9" * 40,),
        ("Content-Length : 14",),
        ("X: a\r\n b", "Content-Length: 14"),
        ("X: a\x00b", "Content-Length: 14"),
        ("X: a\nY: b", "Content-Length: 14"),
    ],
)
def test_a_request_of_which_two_servers_could_think_differently(server, token, headers):
    """Every shape of request smuggling is refused, and the connection closed behind it."""
    smuggled = b"POST /send HTTP/1.1\r\nHost: a\r\n\r\n"
    response = talk(server, post(token, b'{"text": "a" }', *headers, close=False) + smuggled)
    assert len(statuses(response)) == 1
    assert statuses(response)[0] in (400, 413, 501)
    assert server.request("GET", "/status", token)[1]["messages"] == []


@pytest.mark.parametrize("shut", [True, False])
def test_a_body_that_does_not_come(server, token, shut):
    """A request that ends in its middle does nothing."""
    with dial(server) as connection:
        connection.sendall(post(token, b'{"text": "secret', "Content-Length: 99"))
        if shut:
            connection.shutdown(socket.SHUT_WR)
            read_all(connection)
    assert server.request("GET", "/status", token)[1]["messages"] == []


def test_a_head_that_does_not_end(server):
    """A megabyte of headers is refused long before its end."""
    lines = b"X: " + b"y" * 1000 + b"\r\n"
    with dial(server) as connection:
        sent = 0
        try:
            connection.sendall(GET)
            for _ in range(1024):
                connection.sendall(lines)
                sent += len(lines)
        except OSError:
            pass
        response = read_all(connection)
    assert statuses(response) in ([431], [])
    assert statuses(talk(server, GET + lines * 30 + b"\r\n")) == [431]
    assert statuses(talk(server, GET + b"X: " + b"y" * 30_000)) == [431]
    assert statuses(talk(server, GET + b"X: y\r\n" * 500 + b"\r\n")) == [431]
    assert statuses(talk(server, b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n")) == [414]


@pytest.mark.parametrize("size", [65_536, 65_537, 10_000_000])
def test_a_body_that_is_too_large_is_refused_before_it_is_read(server, token, size):
    """Beyond 64 KiB a body is 413, as soon as its length is known, announced or not."""
    head = post(token, b"", f"Content-Length: {size}", "Expect: 100-continue")
    with dial(server) as connection:
        connection.sendall(head)
        first = connection.recv(65536)
        if size <= 65_536:
            assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
            return
        assert statuses(first + read_all(connection)) == [413]
    chunks = b"".join(b"1000\r\n" + b"x" * 4096 + b"\r\n" for _ in range(17)) + b"0\r\n\r\n"
    response = talk(server, post(token, chunks, "Transfer-Encoding: chunked"))
    assert statuses(response) == [413]


def test_a_refused_client_who_goes_on_sending_can_read_why(server, token):
    """The response is not lost to a reset while the client still sends."""
    with dial(server) as connection:
        connection.sendall(post(token, b"", "Content-Length: 3000000"))
        for _ in range(30):
            connection.sendall(b"x" * 100_000)
        assert statuses(read_all(connection)) == [413]


def test_requests_in_one_go_get_responses_in_order(server, token):
    """Pipelined requests get their responses one after the other, each whole."""
    requests = b"".join(
        post(token, json.dumps({"text": f"{n}"}).encode(), close=n == 49) for n in range(50)
    )
    response = talk(server, requests)
    assert statuses(response) == [200] * 50
    page = server.request("GET", "/status", token)[1]
    assert [message["text"] for message in page["messages"]] == [f"{n}" for n in range(50)]


def test_a_request_in_single_bytes(server, token):
    """However a request is cut on the way, it is the same request."""
    pieces = [bytes([byte]) for byte in post(token, b'{"text": "slow"}')]
    assert statuses(talk(server, *pieces)) == [200]


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"\x00" * 1000,
        b"hello\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\xff\xfe\xfd\r\n\r\n",
    ],
)
def test_what_is_no_http(server, garbage):
    """Anything else is refused in HTTP, and the connection closed."""
    response = talk(server, garbage)
    assert len(statuses(response)) == 1
    assert statuses(response)[0] in (400, 405, 501, 505)


def test_many_connections_at_once(server):
    """Two hundred clients who say nothing do not keep another one waiting."""
    idle = [dial(server) for _ in range(200)]
    began = time.monotonic()
    assert server.request("GET", "/health")[0] == 200
    assert time.monotonic() - began < SOON
    for connection in idle:
        connection.close()


class TestHandedOver:
    """A plain poll counts as read only when its response was handed over whole."""

    @pytest.fixture
    def reader(self, server):
        """Somebody with as many unread messages as fit into one page: 800 KB."""
        connected = server.connect()
        for _ in range(UNREAD):
            body = {"text": "\u4e2d" * 4000}
            assert server.request("POST", "/send", connected["token"], body)[0] == 200
        return connected["token"]

    def test_a_poll_that_breaks_is_repeated(self, server, reader):
        """Who hangs up in the middle of a response finds it again, and then only once."""
        rest = f" HTTP/1.1\r\nHost: a\r\nAuthorization: {reader}\r\n\r\n"
        # The first pages, which acknowledge nothing, are more than the buffers take.
        request = f"GET /status?limit=1000&after=0{rest}" * 10 + f"GET /status?limit=1000{rest}"
        for _ in range(3):
            with dial_narrowly(server) as connection:
                connection.sendall(request.encode())
                assert connection.recv(1000)
                # A reset, not a goodbye.
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        time.sleep(0.2)
        page = server.request("GET", "/status?limit=1000", reader)[1]
        assert len(page["messages"]) >= UNREAD
        assert server.request("GET", "/status?limit=1000", reader)[1]["messages"] == []

    def test_a_slow_reader_gets_it_whole(self, server, reader):
        """A response larger than all buffers arrives whole, however slowly it is read."""
        request = f"GET /status?limit=1000 HTTP/1.1\r\nHost: a\r\nAuthorization: {reader}\r\n"
        with dial_narrowly(server) as connection:
            connection.sendall(request.encode() + b"Connection: close\r\n\r\n")
            time.sleep(0.2)
            response = read_all(connection)
        head, _, body = response.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        assert len(json.loads(body)["messages"]) >= UNREAD
        assert server.request("GET", "/status?limit=1000", reader)[1]["messages"] == []
