"""Cases that others collected, for parsers that are trusted.

Those of llhttp (test/request/*.md) and h11 (h11/tests/) are built anew here: which
shapes there are is theirs, the text is not.  Those of gunicorn can be had whole from
PyPI, in its source distribution; they run where it lies (see docs/httpd.md).
"""

from __future__ import annotations

import json
import os
import re
import tarfile

import pytest

from tests.httpd.support import Echo, Server, parse_responses

H = b"Host: x\r\n"
TE = b"Transfer-Encoding: chunked\r\n"

# What is sent, and for each request that the resource sees: method, target, body.
SOUND = {
    # from sample.md of llhttp
    "curl": (
        b"GET /test HTTP/1.1\r\nUser-Agent: curl/8 (x) l/1\r\nHost: 0.0.0.0\r\nAccept: */*\r\n\r\n",
        [("GET", "/test", "")],
    ),
    "a method that begins like HTTP": (b"HEAD /u HTTP/1.1\r\n" + H + b"\r\n", [("HEAD", "/u", "")]),
    "a value of signs": (b"GET /d HTTP/1.1\r\n" + H + b"aaa:+++\r\n\r\n", [("GET", "/d", "")]),
    "no header at all, in 1.0": (b"GET /n HTTP/1.0\r\n\r\n", [("GET", "/n", "")]),
    "a header without a value": (b"GET /n HTTP/1.1\r\n" + H + b"A:\r\n\r\n", [("GET", "/n", "")]),
    "an empty line before": (b"\r\nGET /e HTTP/1.1\r\n" + H + b"\r\n", [("GET", "/e", "")]),
    "a value beyond ASCII": (
        b"GET / HTTP/1.1\r\n" + H + b"A: \xf0\xff\r\n\r\n",
        [("GET", "/", "")],
    ),
    "a long value": (
        b"GET / HTTP/1.1\r\n" + H + b"A: " + b"M" * 8000 + b"\r\n\r\n",
        [("GET", "/", "")],
    ),
    # from uri.md of llhttp
    "quotes in the target": (b'GET /a"b" HTTP/1.1\r\n' + H + b"\r\n", [("GET", '/a"b"', "")]),
    "two question marks": (b"GET /t?a?b HTTP/1.1\r\n" + H + b"\r\n", [("GET", "/t?a?b", "")]),
    "a bar in the query": (b"GET /t?a|b HTTP/1.1\r\n" + H + b"\r\n", [("GET", "/t?a|b", "")]),
    "a URL and a query": (
        b"GET http://h.example?a=b HTTP/1.1\r\n" + H + b"\r\n",
        [("GET", "http://h.example?a=b", "")],
    ),
    "a URL with a port": (
        b"GET http://h_x.example:81/a HTTP/1.1\r\n" + H + b"\r\n",
        [("GET", "http://h_x.example:81/a", "")],
    ),
    "a fragment": (b"GET /f?a=b#c HTTP/1.1\r\n" + H + b"\r\n", [("GET", "/f?a=b#c", "")]),
    # from method.md of llhttp
    "methods": (
        b"".join(
            method + b" /m HTTP/1.1\r\n" + H + b"Content-Length: 0\r\n\r\n"
            for method in (b"REPORT", b"M-SEARCH", b"PATCH", b"PURGE", b"SEARCH", b"LINK", b"QUERY")
        ),
        [
            (m, "/m", "")
            for m in ("REPORT", "M-SEARCH", "PATCH", "PURGE", "SEARCH", "LINK", "QUERY")
        ],
    ),
    # llhttp: content-length.md, and h11
    "zeroes before the length": (
        b"PUT /u HTTP/1.1\r\n" + H + b"Content-Length: 003\r\n\r\nabc",
        [("PUT", "/u", "abc")],
    ),
    "a length between other headers": (
        b"PUT /u HTTP/1.1\r\nContent-Length: 3\r\n" + H + b"A: b\r\n\r\nabc",
        [("PUT", "/u", "abc")],
    ),
    "a body of GET": (
        b"GET /g HTTP/1.1\r\n" + H + b"conTENT-Length: 5\r\n\r\nHELLO",
        [("GET", "/g", "HELLO")],
    ),
    "spaces around the length": (
        b"POST /s HTTP/1.1\r\n" + H + b"Content-Length:   2   \r\n\r\nOK",
        [("POST", "/s", "OK")],
    ),
    "tabs around the length": (
        b"POST /s HTTP/1.1\r\n" + H + b"Content-Length:\t2\t\r\n\r\nOK",
        [("POST", "/s", "OK")],
    ),
    # llhttp: transfer-encoding.md, and h11's ChunkedReader
    "sizes in small letters": (
        b"PUT /c HTTP/1.1\r\n" + H + TE + b"\r\na\r\n0123456789\r\n0\r\n\r\n",
        [("PUT", "/c", "0123456789")],
    ),
    "sizes in capitals": (
        b"PUT /c HTTP/1.1\r\n" + H + TE + b"\r\nA\r\n0123456789\r\n0\r\n\r\n",
        [("PUT", "/c", "0123456789")],
    ),
    "sizes with zeroes": (
        b"PUT /c HTTP/1.1\r\n" + H + TE + b"\r\n05\r\nhello\r\n006\r\n world\r\n000\r\n\r\n",
        [("PUT", "/c", "hello world")],
    ),
    "trailing headers": (
        b"PUT /c HTTP/1.1\r\n" + H + TE + b"\r\n5\r\nhello\r\n0\r\nVary: *\r\nType: text\r\n\r\n",
        [("PUT", "/c", "hello")],
    ),
    "extensions": (
        b"PUT /c HTTP/1.1\r\n" + H + TE + b"\r\n5;a;b=c\r\nhello\r\n0\r\n\r\n",
        [("PUT", "/c", "hello")],
    ),
    "extensions in quotes": (
        b"PUT /c HTTP/1.1\r\n" + H + TE + b'\r\n5;a="b\\"c;d";e="f"\r\nhello\r\n0;g="h"\r\n\r\n',
        [("PUT", "/c", "hello")],
    ),
    "an empty body in chunks": (
        b"PUT /c HTTP/1.1\r\n" + H + TE + b"\r\n0\r\n\r\n",
        [("PUT", "/c", "")],
    ),
    # from connection.md and pipelining.md of llhttp
    "an empty line between": (
        b"POST /1 HTTP/1.1\r\n"
        + H
        + b"Content-Length: 4\r\n\r\nq=42\r\n\r\nGET /2 HTTP/1.1\r\n"
        + H
        + b"\r\n",
        [("POST", "/1", "q=42"), ("GET", "/2", "")],
    ),
    "HTTP/1.0 with keep-alive": (
        b"PUT /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nPUT /2 HTTP/1.0\r\n\r\n",
        [("PUT", "/1", ""), ("PUT", "/2", "")],
    ),
    "HTTP/1.0 without": (
        b"PUT /1 HTTP/1.0\r\n\r\nPUT /2 HTTP/1.0\r\n\r\n",
        [("PUT", "/1", "")],
    ),
    "close": (
        b"PUT /1 HTTP/1.1\r\n" + H + b"Connection: close\r\n\r\nPUT /2 HTTP/1.1\r\n" + H + b"\r\n",
        [("PUT", "/1", "")],
    ),
    "close and a tab": (
        b"PUT /1 HTTP/1.1\r\n"
        + H
        + b"Connection: close\t\r\n\r\nPUT /2 HTTP/1.1\r\n"
        + H
        + b"\r\n",
        [("PUT", "/1", "")],
    ),
    "close among others": (
        b"PUT /1 HTTP/1.1\r\n" + H + b"Connection: a, close, b\r\n\r\nPUT /2 HTTP/1.1\r\n\r\n",
        [("PUT", "/1", "")],
    ),
    "what only looks like keep-alive": (
        b"PUT /1 HTTP/1.0\r\nConnection: keep\ralive\r\n\r\n",
        None,
    ),
    "an upgrade": (
        b"GET /1 HTTP/1.1\r\n" + H + b"Connection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n"
        b"GET /2 HTTP/1.1\r\n" + H + b"\r\n",
        [("GET", "/1", ""), ("GET", "/2", "")],
    ),
    "pipelined": (
        b"POST /1 HTTP/1.1\r\n" + H + b"Content-Length: 3\r\n\r\nAAA"
        b"PUT /2 HTTP/1.1\r\n" + H + TE + b"\r\n3\r\nBBB\r\n0\r\n\r\n"
        b"PUT /3 HTTP/1.1\r\n" + H + b"Content-Length: 4\r\n\r\nCCCC",
        [("POST", "/1", "AAA"), ("PUT", "/2", "BBB"), ("PUT", "/3", "CCCC")],
    ),
}

REFUSED = {
    # llhttp: invalid.md, and h11's test_readers_unusual
    "ICE, but not really": b"GET /music HTTP/1.1x ICE/1.0\r\n" + H + b"\r\n",
    "RTSP's method in HTTP": b"ANNOUNCE /a HTTP/1.1\r\n" + H + b"\r\n",
    "headers apart by CR": b"GET / HTTP/1.1\r\nFoo: 1\rBar: 2\r\n" + H + b"\r\n",
    "headers apart by LF": b"GET / HTTP/1.1\r\nFoo: 1\nBar: 2\r\n" + H + b"\r\n",
    "headers apart by something": b"GET / HTTP/1.1\r\nFoo: 1\rxBar: 2\r\n" + H + b"\r\n",
    "empty headers apart by CR": b"GET / HTTP/1.1\r\nFoo:\rBar: 2\r\n" + H + b"\r\n",
    "empty headers apart by LF": b"GET / HTTP/1.1\r\nFoo:\nBar: 2\r\n" + H + b"\r\n",
    "a form feed in a name": b"GET / HTTP/1.1\r\nFo@: o\r\n" + H + b"\r\n",
    "a control character in a name": b"GET / HTTP/1.1\r\nFoo\x01\x00test: B\r\n" + H + b"\r\n",
    "a colon that begins": b"GET / HTTP/1.1\r\n: B\r\n" + H + b"\r\n",
    "no method": b"MKCOLA / HTTP/1.1\r\n" + H + b"\r\n",
    "a broken Connection": b"GET / HTTP/1.1\r\n" + H + b"Connection\r\x1b: close\r\n\r\n",
    "a broken name": b"GET / HTTP/1.1\r\n" + H + b"X-A\x1b: b\r\n\r\n",
    "HTTP/5.6": b"GET / HTTP/5.6\r\n" + H + b"\r\n",
    "a space after the first line": b"GET / HTTP/1.1\r\n " + H + b"\r\n",
    "nothing but LF": b"POST / HTTP/1.1\nTransfer-Encoding: chunked\nTrailer: B\n\n0\n\n",
    "no CRLF behind the headers": b"PUT /u HTTP/1.1\r\n" + H + b"Content-Length: 3\nabc",
    "spaces before the headers": b"POST / HTTP/1.1\r\n" + H + b" Content-Length: 3\r\n\r\nabc",
    "no HTTP version": b"GET /\r\n" + H + b"\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\n" + H + b"\r\n",
    "a target beyond ASCII": b"GET /\xce\xb4 HTTP/1.1\r\n" + H + b"\r\n",
    "a user in the target": b"GET http://a%12:b!&*$@h:1/t HTTP/1.1\r\n" + H + b"\r\n",
    "CR for a dash": b"PUT /u HTTP/1.1\r\n" + H + b"Content\rLength: 3\r\n\r\nabc",
    "pigeons": b"PUT /u HTTP/1.1\r\n" + H + b"Transfer-Encoding: pigeons\r\n\r\n",
    "chunked before another": b"PUT /u HTTP/1.1\r\n"
    + H
    + b"Transfer-Encoding: chunked, deflate\r\n\r\n",
    "chunkedchunked": b"PUT /u HTTP/1.1\r\n"
    + H
    + b"Transfer-Encoding: chunkedchunked\r\n\r\n0\r\n\r\n",
    "chunked and a fold": b"PUT /u HTTP/1.1\r\n"
    + H
    + b"Transfer-Encoding: chunked\r\n  abc\r\n\r\n",
    "no semicolon before an extension": b"PUT /u HTTP/1.1\r\n"
    + H
    + TE
    + b"\r\n2 e\r\naa\r\n0\r\n\r\n",
    "quotes without an end": b"PUT /u HTTP/1.1\r\n" + H + TE + b'\r\n2;a="b\r\naa\r\n0\r\n\r\n',
    "a size of other letters": b"PUT /u HTTP/1.1\r\n" + H + TE + b"\r\nxyz\r\naa\r\n0\r\n\r\n",
    "a size of a hundred digits": b"PUT /u HTTP/1.1\r\n"
    + H
    + TE
    + b"\r\n"
    + b"9" * 100
    + b"\r\nxxx",
    "a chunk that CR ends": b"PUT /u HTTP/1.1\r\n" + H + TE + b"\r\n2\r\naa\r0\r\n\r\n",
    "a tab in a name": b"GET / HTTP/1.1\r\n" + H + b"foo\tbar: baz\r\n\r\n",
    "a form feed in a value": b"GET / HTTP/1.1\r\n" + H + b"A: b\x0cc\r\n\r\n",
}
BEHIND = b"GET /behind HTTP/1.1\r\n" + H + b"\r\n"


def seen_by(server):
    described = [json.loads(text) for text in server.seen]
    return [(d["method"], d["uri"], d["body"]) for d in described]


class Everything:
    """A server whose one resource takes everything, sent to whole or byte by byte."""

    def __init__(self, data, pieces):
        self.seen: list[str] = []
        server = Server(Echo(self.seen))
        self.connection = server.connect()
        self.connection.send(*([data] if pieces == "whole" else [bytes([byte]) for byte in data]))
        self.error_response = self.connection.lost
        if not self.connection.lost:
            self.connection.lose()

    def last_status(self):
        return int(re.findall(rb"HTTP/1.1 (\d+)", self.connection.received())[-1])


@pytest.mark.parametrize("pieces", ["whole", "bytes"])
@pytest.mark.parametrize("case", SOUND)
def test_sound_requests_are_understood(case, pieces):
    """Each request is seen with its method, target and body, and nothing else is."""
    data, expected = SOUND[case]
    server = Everything(data, pieces)
    if expected is None:
        assert server.last_status() == 400
        expected = []
    assert seen_by(server) == expected


@pytest.mark.parametrize("pieces", ["whole", "bytes"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_parsers_refuse_is_refused(case, pieces):
    """The resource sees nothing of it, the client gets an error, and the connection ends."""
    server = Everything(REFUSED[case] + BEHIND, pieces)
    assert server.seen == []
    assert server.last_status() in (400, 501, 505)
    assert server.error_response


# gunicorn's

SDIST = os.environ.get("GUNICORN_SDIST", "")
NOT_OURS = {
    # Refused by gunicorn for its own limits, or for what WSGI makes of a name.
    "invalid": {"006", "007", "008", "011", "012", "040"},
    # Taken by gunicorn, with some of its options only, and refused here: identity and
    # gzip, spaces in extensions, obs-fold, bytes beyond ASCII in the target, unknown
    # methods, the PROXY line (an endpoint's task here).
    "valid": {
        *("009", "013", "025", "025_line", "027", "028", "029", "030", "031", "031compat"),
        *("031compat2", "099", "compat_obs_fold", "compat_obs_fold_huge", "pp_01", "pp_02"),
    },
}


def gunicorn_cases(kind):
    if not SDIST:
        return []
    with tarfile.open(SDIST) as archive:
        found = {}
        for member in archive:
            if re.search(rf"/tests/requests/{kind}/[^/]*\.http$", member.name):
                file = archive.extractfile(member)
                assert file is not None
                found[member.name.rsplit("/", 1)[1][:-5]] = file.read()
    assert found
    assert set(found) >= NOT_OURS[kind]
    return [
        pytest.param(data, id=name)
        for name, data in sorted(found.items())
        if name not in NOT_OURS[kind]
    ]


def decoded(data):
    """The bytes that such a file stands for."""
    data = data.replace(b"\n", b"").replace(b"\\r\\n", b"\r\n").replace(b"\\0", b"\0")
    return data.replace(b"\\n", b"\n").replace(b"\\t", b"\t")


@pytest.mark.skipif(not SDIST, reason="GUNICORN_SDIST names no source distribution of gunicorn")
@pytest.mark.parametrize("data", gunicorn_cases("invalid"))
def test_what_gunicorn_refuses_is_refused(data):
    """None of its invalid requests gets a good response."""
    server = Everything(decoded(data), "whole")
    responses = parse_responses(server.connection.received())
    assert not any(response.status < 400 for response in responses)


@pytest.mark.skipif(not SDIST, reason="GUNICORN_SDIST names no source distribution of gunicorn")
@pytest.mark.parametrize("data", gunicorn_cases("valid"))
def test_what_gunicorn_takes_is_taken(data):
    """Its valid requests get responses, once they have a Host."""
    raw = decoded(data)
    if b"host:" not in raw.lower():
        raw = raw.replace(b"\r\n", b"\r\nHost: x\r\n", 1)
    server = Everything(raw, "whole")
    assert seen_by(server)
