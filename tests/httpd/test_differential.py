"""The same requests, sent to Twisted's own Site and to LeanSite, get the same responses.

Where they don't, the difference has a name in the table below, and in docs/httpd.md.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.httpd.support import Server, parse_responses

# Twisted's own pages for 405 and 501 are deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:twisted.web.resource:DeprecationWarning")

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
REJECTIONS = {400, 408, 413, 414, 431, 500, 501, 505}

DIFFERENCES = {
    # Rejected by LeanSite, accepted by Site.
    "no-host": "a request of HTTP/1.1 without a Host header, with two, or with an invalid one",
    "target": "a target that is neither a path, nor a URL, nor *, or has characters no URL has",
    "fold": "a header that goes on in the next line (obs-fold)",
    "line-end": "a line that ends with LF alone, or has a CR inside",
    "header": "a control character in a header",
    "coding": "Transfer-Encoding: identity, or any with HTTP/1.0",
    "chunk": "spaces around a chunk's size or its extensions, or extensions of a wrong form",
    "trailer": "a line after a chunked body that is no header, or describes the body's length",
    "method": "a method that llhttp doesn't know (501, and the connection is closed), CONNECT",
    "size": "a length that does not fit into 64 bits",
    "after-close": "anything after a request with Connection: close",
    # Accepted by LeanSite; rejected by Site, or it closes the connection.
    "keep-alive": "HTTP/1.0 with Connection: keep-alive goes on",
    "empty-lines": "any number of empty lines before a request",
    "spaces": "more than one space between the parts of the request line",
    "url": "a target with scheme and host: its path is used (Site looks for http:)",
    "protocol": "RTSP/1.0 and ICE/1.0 are processed as HTTP/1.0, as llhttp does",
    # Accepted by both, with different responses.
    "no-length": "no Content-Length with 204 and 304, one of 0 with an empty response",
    "begun": "a response that fails after its head was sent is cut off, without an error page",
    "version": "the status line always says HTTP/1.1",
}


def test_the_documentation_names_every_difference():
    """The table here and the one in docs/httpd.md have the same rows."""
    text = (Path(__file__).parents[2] / "docs" / "httpd.md").read_text()
    section = text.split("## Differences")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z-]+)` ", section, re.MULTILINE)) == set(DIFFERENCES)


# What is sent

token = st.text("abcdefgXYZ-_0123456789!#$%&'*+.^`|~", min_size=1, max_size=12)
value = st.text(
    st.characters(min_codepoint=32, max_codepoint=126), min_size=0, max_size=30
) | st.just("\xe4\xff")
path = st.sampled_from(
    [
        *("/", "/echo", "/echo/", "/echo/a%20b/%00/c", "/chunks", "/later", "/get", "/get?x"),
        *("/empty", "/coded/204/x", "/coded/304/x", "/coded/404/no", "/coded/200", "/none", "*"),
        *("/echo?a=b&a=c&d=", "/echo?a=%41+b&=&&x", "/echo?", "/echo?a?b", "//echo", "/echo/../x"),
        *("/echo;v=1", "/%65cho", "/echo%", "/echo?%", "/echo%2Fx", "/later?a", "/chunks?b=1"),
    ]
)
method = st.sampled_from(
    ["GET", "GET", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"]
)
body = st.binary(max_size=60) | st.binary(min_size=5000, max_size=9000)


@st.composite
def headers(draw):
    """Fields that do not say how the body comes."""
    lines = draw(
        st.lists(
            st.tuples(token, value).filter(
                lambda f: f[0].lower() not in {"te", "host", "connection"}
            ),
            max_size=4,
        )
    )
    lines += draw(
        st.lists(
            st.sampled_from(
                [
                    *(("Cookie", "a=b; c=d"), ("cookie", "e"), ("X", "  padded \t"), ("x", "2")),
                    *(("Connection", "keep-alive"), ("Connection", "close"), ("Accept", "*/*")),
                    *(("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Expect", "x")),
                    *(("Expect", "100-continue"), ("If-None-Match", '"a"'), ("X-Empty", "")),
                    ("Content-Type", "application/x-www-form-urlencoded"),
                ]
            ),
            max_size=3,
        )
    )
    return lines


@st.composite
def request(draw):
    """A request that is all right: its method and its bytes."""
    verb, target = draw(method), draw(path)
    version = draw(st.sampled_from(["1.1", "1.1", "1.1", "1.0"]))
    lines = [("Host", draw(st.sampled_from(["x", "x:80", "[::1]:8000", "EXAMPLE.org", ""])))]
    lines += draw(headers())
    content = b""
    kind = draw(st.sampled_from(["none", "length", "length", "chunked"]))
    if kind == "length":
        content = draw(body)
        lines.append((draw(st.sampled_from(["Content-Length", "content-length"])), len(content)))
    elif kind == "chunked" and version == "1.1":
        whole = draw(body)
        lines.append(("Transfer-Encoding", draw(st.sampled_from(["chunked", "Chunked"]))))
        while whole:
            size = draw(st.integers(1, len(whole)))
            extension = draw(st.sampled_from(["", "", ";a", ";a=b", ';a="b c"', ";a;b=c"]))
            number = draw(st.sampled_from(["%x", "%X", "0%x"])) % size
            content += f"{number}{extension}\r\n".encode() + whole[:size] + b"\r\n"
            whole = whole[size:]
        content += draw(st.sampled_from([b"0\r\n\r\n", b"00\r\n\r\n", b"0\r\nA: b\r\n\r\n"]))
    order = draw(st.permutations(lines))
    head = "".join(f"{name}: {text}\r\n" for name, text in order)
    start = f"{verb} {target} HTTP/{version}\r\n"
    return verb, f"{start}{head}\r\n".encode("latin-1") + content


def torn(draw, data):
    """The same bytes in pieces, as a network delivers them."""
    kind = draw(st.sampled_from(["whole", "pieces", "bytes"]))
    if kind == "whole" or (len(data) > 3000 and kind == "bytes"):
        return [data]
    if kind == "bytes":
        return [data[i : i + 1] for i in range(len(data))]
    cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=8)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if a < b]


class Outcome:
    """What a site did with a stream of bytes."""

    def __init__(self, pieces, expected, *, stock):
        server = Server(stock=stock)
        connection = server.connect()
        for piece in pieces:
            connection.send(piece)
            if connection.transport.producerState == "paused":
                server.clock.advance(0.02)
                connection.settle()
        for _ in range(expected + 3):
            server.clock.advance(0.02)
            connection.settle()
        self.closed = connection.lost
        self.seen = server.seen
        self.received = connection.received()
        if not connection.lost:
            connection.lose()

    def described(self, methods):
        responses = parse_responses(self.received, methods)
        # Whether the body was already here when 100 was due depends on the pieces.
        return [described(response) for response in responses if response.status != 100]


def described(response):
    """What is compared of a response."""
    headers = {
        name: values
        for name, values in response.headers.items()
        if name not in {"date", "server", "connection", "transfer-encoding"}
    }
    if not response.body:
        # "no-length"; and where there is no body, its type does not matter.
        for name in ("content-length", "content-type"):
            headers.pop(name, None)
    else:
        headers.pop("content-length", None)
    return response.status, sorted(headers.items()), response.body, response.whole


RELAXED = settings(
    max_examples=500,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@RELAXED
@given(st.data())
def test_requests_get_the_same_responses(data):
    """Pipelines of sound requests, torn anywhere, get the same responses from both."""
    requests = data.draw(st.lists(request(), min_size=1, max_size=4))
    methods = [verb for verb, _ in requests]
    pieces = torn(data.draw, b"".join(raw for _, raw in requests))
    stock = Outcome(pieces, len(methods), stock=True)
    lean = Outcome(pieces, len(methods), stock=False)
    first = stock.described(methods)
    second = lean.described(methods)
    both = min(len(first), len(second))
    assert second[:both] == first[:both]
    assert all(a == b for a, b in zip(lean.seen, stock.seen, strict=False))
    last = requests[both - 1][1].lower()
    if len(second) > len(first) or (stock.closed and not lean.closed):
        event("keep-alive")
        assert stock.closed
        assert b"http/1.0" in last
        assert b"connection: keep-alive" in last
    elif len(first) > len(second) or (lean.closed and not stock.closed):
        event("after-close")
        assert lean.closed
        assert b"connection: close" in last
    else:
        assert lean.seen == stock.seen


PIECES = [
    *(b"\r", b"\n", b"\r\n", b" ", b"\t", b":", b";", b"\x00", b"\x7f", b"\x01", b"\xff", b"/"),
    *(b"\r\n ", b"\r\n\t", b"\n\n", b"\r\n\r\n", b"0", b"1", b"-", b"+", b"0x", b",", b"A"),
    *(b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: y\r\n", b"#", b"?"),
    *(b"http://y/", b"ICE/1.0", b"  "),
    *(b"Transfer-Encoding: identity\r\n", b" chunked", b"Content-Length: 0\r\n", b"HTTP/1.1"),
    b"GET /echo HTTP/1.1\r\nHost: smuggled\r\n\r\n",
]


@st.composite
def spoilt(draw):
    """A stream in which something was put in, taken out, or doubled."""
    data = b"".join(raw for _, raw in draw(st.lists(request(), min_size=1, max_size=2)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, min(len(data), 400) - 1)))
        kind = draw(st.sampled_from(["insert", "insert", "remove", "replace", "double"]))
        piece = draw(st.sampled_from(PIECES))
        if kind == "insert":
            data = data[:at] + piece + data[at:]
        elif kind == "remove":
            data = data[:at] + data[at + draw(st.integers(1, 3)) :]
        elif kind == "replace":
            data = data[:at] + piece + data[at + len(piece) :]
        else:
            data = data[:at] + data[at : at + 20] + data[at:]
    return data


HOST = rb"(?i:host):[ \t]*[A-Za-z0-9._~!$&'()*+;=:%\[\]-]*[ \t]*$"
LAXER = {
    "empty-lines": re.compile(rb"(^|\n)[\r\n]"),
    "spaces": re.compile(rb"^[A-Z]+ ( |[^\r\n]* {2,}HTTP)", re.MULTILINE),
    "url": re.compile(rb"^[A-Z]+ +(?i:https?)://", re.MULTILINE),
    "protocol": re.compile(rb" (RTSP|ICE)/1"),
    "keep-alive": re.compile(rb"HTTP/1\.0"),
}
STRICTER = {
    "target": re.compile(rb"^[A-Z]+ +([^/* h]|[^ ]*[^!-\x7e ]|\*[^ ])", re.MULTILINE),
    "fold": re.compile(rb"\n[ \t]"),
    "line-end": re.compile(rb"(?<!\r)\n|\r(?!\n)"),
    "header": re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"),
    "coding": re.compile(rb"(?i:^transfer-encoding)", re.MULTILINE),
    "method": re.compile(rb"^(?!(GET|POST|HEAD|PUT|DELETE|OPTIONS|PATCH|TRACE) )", re.MULTILINE),
    "size": re.compile(rb"(?i:length): *\d{19}"),
    "after-close": re.compile(rb"(?i:^connection):.*close", re.MULTILINE),
}


def names_of(table, raw):
    return {name for name, pattern in table.items() if pattern.search(raw)}


def lacks_host(raw):
    """Whether some head in a stream has not exactly one Host header that can be one."""
    for part in raw.split(b"\r\n\r\n"):
        lines = [line for line in part.split(b"\r\n") if line.lower().startswith(b"host")]
        if len(lines) != 1 or not re.match(HOST, lines[0]):
            return True
    return False


@settings(RELAXED, max_examples=500)
@given(spoilt())
def test_spoilt_requests_are_never_understood_differently(raw):
    """No resource of LeanSite sees a request that Site's sees otherwise, or is behind one."""
    stock = Outcome([raw], 3, stock=True)
    lean = Outcome([raw], 3, stock=False)
    same = min(len(stock.seen), len(lean.seen))
    assert lean.seen[:same] == stock.seen[:same]
    if len(stock.seen) > same:
        statuses = [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", lean.received)]
        assert lean.closed
        names = names_of(STRICTER, raw) | ({"no-host"} if lacks_host(raw) else set())
        assert names
        assert statuses[-1] in REJECTIONS or "after-close" in names
    elif len(lean.seen) > same:
        assert names_of(LAXER, raw)


@settings(RELAXED, max_examples=200)
@given(st.data())
def test_pieces_make_no_difference(data):
    """A spoilt stream gets the same responses whole as in pieces."""
    raw = data.draw(spoilt())
    whole = Outcome([raw], 3, stock=False)
    pieces = Outcome(torn(data.draw, raw), 3, stock=False)
    assert pieces.seen == whole.seen
    assert pieces.received.replace(CONTINUE, b"") == whole.received.replace(CONTINUE, b"")
    assert pieces.closed == whole.closed
