"""Heads that come again: what is known of them is what the parser would say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatter.httpd.head_cache import HeadCache
from chatter.httpd.limits import Limits
from chatter.httpd.reader import RequestReader
from chatter.httpd.request_head import RequestHead
from tests.httpd.support import get, post
from tests.httpd.test_differential import RELAXED, request, spoilt, torn

LIMITS = Limits(body=2000)


class Forgetful(HeadCache):
    """Knows no head, so that all is parsed."""

    def learn(self, data, head, body):
        pass


class Reading:
    """What one reader says of pieces of a stream."""

    def __init__(self, *, forgetful=False):
        self.reader = RequestReader(LIMITS)
        if forgetful:
            self.reader._repeated = Forgetful(LIMITS)
        self.read = []

    def feed(self, data):
        """As a channel does: nothing more after a rejection or the last request."""
        reader = self.reader
        if reader.error_status or (self.read and not self.read[-1][0].keep_alive):
            return
        known = reader.read_known(data)
        if known is not None:
            self.read.append(known)
            return
        reader.feed(data)
        self.read += reader.ready
        reader.ready.clear()

    def described(self):
        requests = [
            (h.method, h.uri, h.path, h.query, h.protocol, fields_of(h, body), h.keep_alive, body)
            for h, body in self.read
        ]
        return requests, self.reader.error_status, self.reader.receiving


def fields_of(head, body):
    """The headers as a request shows them."""
    if head.leaves_length_out:
        return {**head.headers, b"content-length": [b"%d" % len(body)]}
    return head.headers


@pytest.fixture
def reading():
    return Reading()


@st.composite
def alike(draw, raw):
    """Something that looks much like a request that was made before."""
    head, end, body = raw.partition(b"\r\n\r\n")
    kind = draw(st.sampled_from(["same", "same", "body", "length", "cut", "twice"]))
    if kind == "body":
        digits = b"%d" % len(body)
        other = draw(st.binary(max_size=2100))
        return head.replace(b": " + digits, b": %d" % len(other)) + end + other
    if kind == "length":
        odd = draw(st.sampled_from([b"+1", b"-1", b" 1", b"1 ", b"01", b"1_0", b"\xb2", b"9999"]))
        return head.replace(b": %d" % len(body), b": " + odd) + end + body
    if kind == "cut":
        return raw[: draw(st.integers(1, len(raw)))]
    return raw * (2 if kind == "twice" else 1)


@RELAXED
@given(st.data())
def test_what_is_known_is_what_the_parser_says(data):
    _, first = data.draw(request())
    stream = [first, *(data.draw(alike(first)) for _ in range(4)), data.draw(spoilt())]
    remembering, forgetful = Reading(), Reading(forgetful=True)
    for raw in stream:
        for piece in torn(data.draw, raw):
            remembering.feed(piece)
            forgetful.feed(piece)
    assert remembering.described() == forgetful.described()


def test_the_same_again_is_not_parsed(reading):
    for raw in (get("/"), get("/"), post(b"abc"), get("/"), post(b"abc"), post(b"abc")):
        reading.feed(raw)
    (polled, _), (again, _), _, (third, _), (sent, _), (resent, body) = reading.read
    assert polled is again is third
    assert sent is resent
    assert body == b"abc"


def test_another_body_comes_with_its_length(reading):
    for body in (b"abc", b"12345", b"", b"x" * 10, b"y" * 99):
        reading.feed(post(body))
    assert [body for _, body in reading.read] == [b"abc", b"12345", b"", b"x" * 10, b"y" * 99]
    lengths = [fields_of(head, body)[b"content-length"] for head, body in reading.read]
    assert lengths == [[b"3"], [b"5"], [b"0"], [b"10"], [b"99"]]
    assert reading.read[1][0] is reading.read[2][0]
    assert reading.read[0][0].headers[b"content-length"] == [b"3"]


def test_a_length_that_is_written_oddly_is_not_kept(reading):
    """It is to be seen as it was sent."""
    odd = post(b"abc").replace(b": 3", b": 03")
    reading.feed(odd)
    reading.feed(odd)
    assert [head.headers[b"content-length"] for head, _ in reading.read] == [[b"03"], [b"03"]]


def test_a_body_that_has_not_all_come_is_waited_for(reading):
    reading.feed(post(b"abc"))
    reading.feed(post(b"abc")[:-1])
    assert reading.reader.receiving
    reading.feed(b"c")
    assert [body for _, body in reading.read] == [b"abc", b"abc"]


def test_a_body_above_the_limit_is_refused_though_its_head_is_known(reading):
    reading.feed(post(b"x" * 1500))
    reading.feed(post(b"x" * 2001))
    assert reading.reader.error_status == 413
    assert len(reading.read) == 1


def test_what_follows_in_the_same_piece_is_read(reading):
    reading.feed(get("/a"))
    reading.feed(get("/a") + get("/b"))
    assert [head.path for head, _ in reading.read] == [b"/a", b"/a", b"/b"]


def test_a_client_that_does_not_repeat_itself_is_not_remembered(reading):
    for number in range(20):
        reading.feed(get(f"/{number}"))
    reading.feed(get("/19"))
    assert reading.read[-1][0] is not reading.read[-2][0]
    assert reading.read[-1][0].path == b"/19"


@pytest.mark.parametrize("lines", [["Cookie: " + "c" * 2000], ["a:"] * 60])
def test_a_large_head_is_not_kept(reading, lines):
    """An idle connection shall cost little."""
    raw = get("/", *lines)
    reading.feed(raw)
    reading.feed(raw)
    assert reading.read[0][0] is not reading.read[1][0]


@pytest.mark.parametrize("other", ["x: 1", "y: 2", "x: 22"])
@pytest.mark.parametrize("behind", [False, True])
def test_a_head_with_another_field_is_another(reading, other, behind):
    """Wherever it stands, also behind the length of the body."""
    for header in ("x: 2", other, "x: 2"):
        line = header.encode() + b"\r\n"
        start, length, rest = post(b"abc").partition(b"Content-Length: 3\r\n")
        reading.feed(start + (length + line if behind else line + length) + rest)
    shown = [head.headers.get(b"x") or head.headers[b"y"] for head, _ in reading.read]
    assert shown == [[b"2"], [other.partition(": ")[2].encode()], [b"2"]]


def test_a_head_with_another_length_has_all_that_heads_have(reading):
    reading.feed(post(b"abc"))
    reading.feed(post(b"12345"))
    reading.feed(post(b"12345"))
    head = reading.read[2][0]
    assert head.leaves_length_out
    assert all(hasattr(head, name) for name in RequestHead.__slots__)
