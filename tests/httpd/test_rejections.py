"""What is not HTTP, or too much, is refused before any resource sees it."""

from __future__ import annotations

import json

import httptools
import pytest

from chatter.httpd import LeanSite, Limits, reason_of
from tests.httpd.support import Server, get, post

BEHIND = get("/echo", "X-Behind: 1")
CHUNKED = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def head(*lines, start="POST /echo HTTP/1.1", host="Host: x"):
    return "\r\n".join([start, *([host] if host else []), *lines, "", ""]).encode("latin-1")


SMUGGLING = {
    "two lengths": (400, head("Content-Length: 3", "Content-Length: 4") + b"abcd"),
    "the same length twice": (400, head("Content-Length: 3", "Content-Length: 3") + b"abc"),
    "a list of lengths": (400, head("Content-Length: 3, 3") + b"abc"),
    "length and chunked": (400, head("Content-Length: 3", "Transfer-Encoding: chunked") + b"0\r\n"),
    "chunked and length": (400, head("Transfer-Encoding: chunked", "Content-Length: 3") + b"0\r\n"),
    "a signed length": (400, head("Content-Length: +3") + b"abc"),
    "a negative length": (400, head("Content-Length: -3") + b"abc"),
    "a length in hex": (400, head("Content-Length: 0x3") + b"abc"),
    "a length with an underscore": (400, head("Content-Length: 1_0") + b"0123456789"),
    "an empty length": (400, head("Content-Length: ")),
    "a length without end": (400, head("Content-Length: " + "9" * 30)),
    "a length and a space inside": (400, head("Content-Length: 1 0") + b"0123456789"),
    "an unknown coding": (501, head("Transfer-Encoding: xchunked") + b"0\r\n\r\n"),
    "identity": (501, head("Transfer-Encoding: identity") + b"abc"),
    "chunked twice": (400, head("Transfer-Encoding: chunked", "Transfer-Encoding: chunked")),
    "chunked, chunked": (400, head("Transfer-Encoding: chunked, chunked") + b"0\r\n\r\n"),
    "chunked not last": (400, head("Transfer-Encoding: chunked, gzip") + b"0\r\n\r\n"),
    "gzip, chunked": (501, head("Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n"),
    "gzip and chunked": (501, head("Transfer-Encoding: gzip", "Transfer-Encoding: chunked")),
    "chunked with a parameter": (501, head("Transfer-Encoding: chunked;a=b") + b"0\r\n\r\n"),
    "chunked in quotes": (501, head('Transfer-Encoding: "chunked"') + b"0\r\n\r\n"),
    "chunked behind a vertical tab": (400, head("Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n"),
    "an empty coding": (400, head("Transfer-Encoding: ")),
    "a coding in HTTP/1.0": (
        400,
        head("Transfer-Encoding: chunked", start="POST /echo HTTP/1.0") + b"0\r\n\r\n",
    ),
    "a folded coding": (400, head("Transfer-Encoding:\r\n chunked") + b"0\r\n\r\n"),
    "obs-fold": (400, head("X: a\r\n b")),
    "obs-fold with a tab": (400, head("X: a\r\n\tb")),
    "a fold of the request line": (400, head(" X: a", host="")),
    "bare LF": (400, head().replace(b"\r\n", b"\n")),
    "bare LF in one line": (400, b"GET /echo HTTP/1.1\r\nHost: x\nX: a\r\n\r\n"),
    "bare LF at the end": (400, b"GET /echo HTTP/1.1\r\nHost: x\r\n\n"),
    "bare CR": (400, b"GET /echo HTTP/1.1\r\nHost: x\rX: a\r\n\r\n"),
    "CR CR LF": (400, b"GET /echo HTTP/1.1\r\nHost: x\r\r\n\r\n"),
    "a space before the colon": (400, head("Content-Length : 3") + b"abc"),
    "a tab before the colon": (400, head("Content-Length\t: 3") + b"abc"),
    "a space in a name": (400, head("Content Length: 3") + b"abc"),
    "NUL in a name": (400, head("X\x00: a")),
    "NUL in a value": (400, head("X: a\x00b")),
    "NUL in the target": (400, head(start="GET /echo\x00 HTTP/1.1")),
    "a control character in a value": (400, head("X: a\x01b")),
    "DEL in a value": (400, head("X: a\x7fb")),
    "an empty name": (400, head(": a")),
    "a name that is no token": (400, head("X(y): a")),
    "a line without a colon": (400, head("abc")),
    "no Host": (400, head(host="")),
    "two Hosts": (400, head("Host: y")),
    "a Host that is a list": (400, head(host="Host: x, y")),
    "a Host with a path": (400, head(host="Host: x/y")),
    "a Host with a space": (400, head(host="Host: x y")),
    "a Host with a user": (400, head(host="Host: u@x")),
    "a target of no form": (400, head(start="GET echo HTTP/1.1")),
    "a URL with a user": (400, head(start="GET http://u@x/echo HTTP/1.1")),
    "a URL of another scheme": (400, head(start="GET ftp://x/echo HTTP/1.1")),
    "a URL without a host": (400, head(start="GET http:///echo HTTP/1.1")),
    "a target that is not ASCII": (400, head(start="GET /\xe4 HTTP/1.1")),
    "no version": (505, b"GET /echo\r\n\r\n"),
    "HTTP/2": (505, head(start="GET /echo HTTP/2.0")),
    "HTTP/2 by preface": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "HTTP/1.2": (400, head(start="GET /echo HTTP/1.2")),
    "HTTP/1.10": (400, head(start="GET /echo HTTP/1.10")),
    "http/1.1": (400, head(start="GET /echo http/1.1")),
    "a space behind the version": (400, head(start="GET /echo HTTP/1.1 ")),
    "a space before the method": (501, head(start=" GET /echo HTTP/1.1")),
    "a tab behind the method": (501, head(start="GET\t/echo HTTP/1.1")),
    "a method in small letters": (501, head(start="get /echo HTTP/1.1")),
    "an unknown method": (501, head(start="BREW /echo HTTP/1.1")),
    "CONNECT": (501, head(start="CONNECT x:80 HTTP/1.1")),
    "TLS on a plain port": (501, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "a chunk's size with a space": (400, CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n"),
    "a chunk's size behind a space": (400, CHUNKED + b" 3\r\nabc\r\n0\r\n\r\n"),
    "a chunk's size with a sign": (400, CHUNKED + b"+3\r\nabc\r\n0\r\n\r\n"),
    "a chunk's size with 0x": (400, CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n"),
    "a chunk's size with an underscore": (400, CHUNKED + b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n"),
    "a chunk's size without end": (400, CHUNKED + b"F" * 17 + b"\r\n"),
    "no chunk's size": (400, CHUNKED + b"\r\nabc"),
    "a chunk's size and LF": (400, CHUNKED + b"3\nabc\r\n0\r\n\r\n"),
    "a chunk's extension and LF": (400, CHUNKED + b"3;a\nabc\r\n0\r\n\r\n"),
    "a chunk's extension with CR": (400, CHUNKED + b"3;a\rb\r\nabc\r\n0\r\n\r\n"),
    "a chunk and LF": (400, CHUNKED + b"3\r\nabc\n0\r\n\r\n"),
    "a chunk and nothing": (400, CHUNKED + b"3\r\nabc0\r\n\r\n"),
    "a chunk that is longer": (400, CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n"),
    "the last chunk and LF": (400, CHUNKED + b"0\r\n\n"),
    "a length behind the body": (400, CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n"),
    "a coding behind the body": (400, CHUNKED + b"0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "a fold behind the body": (400, CHUNKED + b"0\r\nA: b\r\n c\r\n\r\n"),
    "an upgrade with two lengths": (
        400,
        head("Connection: upgrade", "Upgrade: a", "Content-Length: 1", "Content-Length: 1"),
    ),
    "an upgrade with an unknown coding": (
        501,
        head("Connection: upgrade", "Upgrade: a", "Transfer-Encoding: gzip") + b"0\r\n\r\n",
    ),
}


@pytest.mark.parametrize("pieces", ["whole", "bytes"])
@pytest.mark.parametrize("shape", SMUGGLING)
def test_what_is_ambiguous_is_refused(shape, pieces):
    """The resource sees neither it nor what is behind it, and the connection is closed."""
    status, data = SMUGGLING[shape]
    server = Server()
    connection = server.connect()
    data += BEHIND
    connection.send(*([data] if pieces == "whole" else [bytes([byte]) for byte in data]))
    [response] = connection.responses()
    assert response.status == status
    assert response.header("connection") == "close"
    assert response.whole
    assert connection.lost
    assert server.seen == []


def test_what_came_before_gets_its_response_first():
    """A rejection comes in its place: behind the responses to the requests before it."""
    server = Server()
    connection = server.connect()
    connection.send(get("/later") + get("/echo") + SMUGGLING["bare CR"][1] + BEHIND)
    assert connection.received() == b""
    server.clock.advance(1)
    connection.settle()
    assert [response.status for response in connection.responses()] == [200, 200, 400]
    assert connection.lost
    assert len(server.seen) == 2


def test_what_a_refused_client_still_sends_is_not_read():
    """After a rejection nothing more is parsed, however much comes."""
    server = Server()
    connection = server.connect()
    connection.protocol.dataReceived(SMUGGLING["bare LF"][1])
    received = connection.received()
    for _ in range(3):
        connection.protocol.dataReceived(BEHIND * 100)
    assert connection.received() == received
    assert server.seen == []
    connection.lose()


def test_a_site_says_its_rejections_in_its_own_words():
    """The content type and the body of a rejection come from the site's function."""
    server = Server(
        error_page=lambda status, _: (((b"Content-Type", b"application/x"),), b"no: %d" % status)
    )
    [response] = server.exchange(b"nonsense\r\n\r\n")
    assert response.header("content-type") == "application/x"
    assert response.body == b"no: 501"


def test_every_rejection_has_its_reason():
    """Each status that the server refuses with has a reason phrase."""
    for status in (400, 408, 413, 414, 431, 500, 501, 505):
        assert reason_of(status)


# Limits

LIMITS = Limits(uri=100, head=400, headers=10, body=50)
AT_THE_LIMIT = {
    "target": get("/echo?" + "x" * 94),
    "head": get("/echo", "X: " + "x" * (400 - 5 - 5 - 1)),
    "headers": get("/echo", *["X: 1"] * 9),
    "body": post(b"x" * 50),
    "chunked body": CHUNKED + b"19\r\n" + b"x" * 25 + b"\r\n19\r\n" + b"x" * 25 + b"\r\n0\r\n\r\n",
    "trailers": CHUNKED + b"0\r\n" + b"T: 1\r\n" * 8 + b"\r\n",
}
BEYOND = {
    "target": (414, get("/echo?" + "x" * 95)),
    "head": (431, get("/echo", "X: " + "x" * (400 - 5 - 5))),
    "headers": (431, get("/echo", *["X: 1"] * 10)),
    "body": (413, post(b"x" * 51)),
    "chunked body": (413, CHUNKED + b"19\r\n" + b"x" * 25 + b"\r\n1A\r\n" + b"x" * 26 + b"\r\n"),
    "trailers": (431, CHUNKED + b"0\r\n" + b"T: 1\r\n" * 9 + b"\r\n"),
}


@pytest.mark.parametrize("pieces", ["whole", "bytes"])
@pytest.mark.parametrize("what", AT_THE_LIMIT)
def test_what_is_just_within_the_limits_gets_a_response(what, pieces):
    """A request may be as large as its limits."""
    data = AT_THE_LIMIT[what]
    parts = [data] if pieces == "whole" else [bytes([byte]) for byte in data]
    [response] = Server(limits=LIMITS).exchange(*parts)
    assert response.status == 200


@pytest.mark.parametrize("pieces", ["whole", "bytes"])
@pytest.mark.parametrize("what", BEYOND)
def test_what_is_beyond_the_limits_is_refused(what, pieces):
    """One byte, or one header, more is refused, and no resource sees it."""
    status, data = BEYOND[what]
    server = Server(limits=LIMITS)
    parts = [data] if pieces == "whole" else [bytes([byte]) for byte in data]
    [response] = server.exchange(*parts)
    assert response.status == status
    assert server.seen == []


def test_a_body_that_is_too_large_is_refused_before_it_comes():
    """The head is enough to refuse a body by its length, and nobody is asked to go on."""
    server = Server(limits=LIMITS)
    [response] = server.exchange(post(b"", "Expect: 100-continue").replace(b": 0", b": 51"))
    assert response.status == 413


ENDLESS = {
    "target": b"GET /",
    "name": b"GET /echo HTTP/1.1\r\nHost: x\r\n",
    "value": b"GET /echo HTTP/1.1\r\nHost: x\r\nX: ",
    "extension": CHUNKED + b"3;",
    "trailer": CHUNKED + b"0\r\nX: ",
}


@pytest.mark.parametrize("size", [1, 100, 4096, 70_000])
@pytest.mark.parametrize("what", ENDLESS)
def test_what_never_ends_is_refused(what, size):
    """A part that llhttp keeps to itself until it ends is bounded by the head's limit."""
    server = Server()
    connection = server.connect()
    connection.send(ENDLESS[what])
    sent = 0
    while not connection.lost and sent < 100_000:
        connection.send(b"x" * size)
        sent += size
    assert [response.status for response in connection.responses()] in ([414], [431])
    assert connection.lost
    assert sent <= 16 * 1024 + 2 * 4096 + size
    assert server.seen == []


def test_the_default_limits_let_usual_requests_through():
    """A target of 8,000 bytes, 99 headers and cookies of 8 KiB are no trouble."""
    lines = [f"X-{n}: {n}" for n in range(97)] + ["Cookie: a=" + "b" * 8000]
    [response] = Server().exchange(get("/echo?" + "x" * 6000, *lines))
    assert response.status == 200


def test_a_defect_of_the_reader_is_logged_and_gets_500(monkeypatch, capfd):
    """An exception inside a parser's callback closes the connection, and nothing else."""
    from chatter.httpd import reader

    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(reader, "RequestHead", fail)
    server = Server()
    connection = server.connect()
    connection.send(get("/echo") + BEHIND)
    assert [response.status for response in connection.responses()] == [500]
    assert connection.lost
    assert "ZeroDivisionError" in "".join(capfd.readouterr())


def test_a_rejection_is_told_even_while_an_exception_is_handled():
    """What is on the stack has no influence on the status: it was read from the error once."""
    server = Server(limits=LIMITS)
    connection = server.connect()
    try:
        connection.missing  # type: ignore[attr-defined]  # noqa: B018
    except AttributeError:
        connection.send(BEYOND["body"][1])
    assert [response.status for response in connection.responses()] == [413]


def test_it_was_tried_with_this_parser():
    """The shapes above were tried with httptools 0.9, whose llhttp is as strict as that."""
    assert tuple(int(part) for part in httptools.__version__.split(".")[:2]) >= (0, 9)


def test_the_site_is_a_site():
    """It can stand wherever a Site can, and tells TLS what it speaks: no HTTP/2."""
    site = Server().site
    assert isinstance(site, LeanSite)
    assert site.acceptableProtocols() == [b"http/1.1"]
    assert json.loads(Server().exchange(get("/echo"))[0].body)["method"] == "GET"
