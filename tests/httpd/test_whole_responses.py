"""A response in one call: the same as in steps, and who wants to know hears that it has left."""

from __future__ import annotations

import pytest
from twisted.internet.threads import deferToThread
from twisted.web.resource import EncodingResourceWrapper
from twisted.web.server import NOT_DONE_YET, GzipEncoderFactory

from chatter.httpd.producers import OnceSent
from tests.httpd.calling import Calling, failures, made
from tests.httpd.sockets import LARGE, client, read_all, running
from tests.httpd.support import Server, get

FIELDS = ((b"Content-Type", b"text/x"), (b"X-Many", b"words"))


def in_steps(request):
    for name, value in FIELDS:
        request.setHeader(name, value)
    return b"body"


def whole(request):
    request.respond(FIELDS, b"body")
    return NOT_DONE_YET


def prepared(response, prepare):
    def respond_prepared(request):
        prepare(request)
        return response(request)

    return respond_prepared


@pytest.mark.parametrize(
    "raw",
    [
        get(),
        get("/", "Connection: close"),
        b"GET / HTTP/1.0\r\nHost: x\r\n\r\n",
        b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
@pytest.mark.parametrize(
    "prepare",
    [
        lambda request: None,
        lambda request: request.setHeader(b"Vary", b"Origin"),
        lambda request: request.responseHeaders.addRawHeader(b"X-More", b"1"),
        lambda request: request.setResponseCode(201),
        lambda request: request.setResponseCode(200, b"Fine"),
        lambda request: request.addCookie("k", "v"),
        lambda request: request.setETag(b'"a"'),
        lambda request: request.setLastModified(1_000_000),
    ],
)
def test_it_is_the_same_as_in_steps(raw, prepare):
    """Whatever is asked, and whatever was set before."""
    described = []
    for response in (in_steps, whole):
        connection = Server(Calling(prepared(response, prepare))).connect()
        connection.send(raw)
        [found] = connection.responses(raw.split()[0].decode())
        headers = {name: sorted(values) for name, values in found.headers.items()}
        reason = connection.received().partition(b"\r\n")[0]
        described.append((reason, headers, found.body, connection.lost))
        if not connection.lost:
            connection.lose()
    assert described[0] == described[1]


def test_the_next_request_gets_a_response():
    """Also if somebody wanted to know that the response has left."""
    told = []

    def response(request):
        request.respond(FIELDS, b"body", lambda: told.append(request.uri))
        return NOT_DONE_YET

    responses = Server(Calling(response)).exchange(get("/a") + get("/b"), get("/c"))
    assert [found.body for found in responses] == [b"body"] * 3
    assert told == [b"/a", b"/b", b"/c"]


def test_nobody_is_told_of_a_response_to_nobody():
    """A request whose connection was lost gets no response, as in steps."""
    told = []
    request, connection = made(get())
    connection.lose()
    with pytest.raises(RuntimeError):
        request.respond(FIELDS, b"body", lambda: told.append(1))
    assert not told


def respond_telling(told):
    def response(request):
        request.respond(FIELDS, b"abc" * 99, lambda: told.append(request.uri))
        return NOT_DONE_YET

    return Calling(response)


def test_it_is_told_when_what_encodes_it_has_written_all():
    """A compressed response has its end when somebody hears that it has left."""
    told: list[object] = []
    resource = EncodingResourceWrapper(respond_telling(told), [GzipEncoderFactory()])
    connection = Server(resource).connect()
    transport = connection.transport
    write, written_when_told = transport.write, []

    def watched(data):
        assert not told
        written_when_told.append(data)
        write(data)

    transport.write = watched
    connection.send(get("/", "Accept-Encoding: gzip"))
    assert told
    assert b"".join(written_when_told).endswith(b"0\r\n\r\n")
    connection.lose()


def test_head_tells_nobody():
    """The response to HEAD has not brought anything."""
    told: list[object] = []
    responses = Server(respond_telling(told)).exchange(
        b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", methods=("HEAD",)
    )
    assert responses[0].status == 200
    assert not told


def test_who_fails_to_hear_it_holds_nobody_up(logged):
    """The response has its end, and the next request its own."""

    def response(request):
        request.respond(FIELDS, b"body", lambda: 1 / 0)
        return NOT_DONE_YET

    connection = Server(Calling(response)).connect()
    connection.send(get("/a"))
    assert connection.responses()[0].body == b"body"
    assert failures(logged) == [ZeroDivisionError]
    if not connection.lost:
        connection.lose()


@pytest.mark.parametrize("name", [b"Connection", b"content-length", b"Date"])
def test_what_the_server_says_nobody_else_says(name, logged):
    """It would stand there twice, or not be done."""

    def response(request):
        request.respond(((name, b"x"),), b"body")
        return NOT_DONE_YET

    Server(Calling(response)).exchange(get())
    assert failures(logged) == [ValueError]


class LargeWhole(Calling):
    """Responds with more than a socket takes at once."""

    def __init__(self):
        super().__init__(self.whole)
        self.delivered = 0

    def whole(self, request):
        request.respond(FIELDS, bytes(LARGE), self.has_left)
        return NOT_DONE_YET

    def has_left(self):
        self.delivered += 1


@running
async def test_it_is_told_when_all_has_left(server):
    """Not before the socket has taken the last byte; then the connection goes on."""
    server.site.resource = resource = LargeWhole()
    sock = client(await server.listen())
    sock.sendall(get("/a") + get("/b", "Connection: close"))
    await server.until(lambda: resource.requests)
    await server.advance(3)
    assert resource.delivered == 0
    data = await deferToThread(read_all, sock)
    assert data.count(b"HTTP/1.1 200 OK") == 2
    assert len(data) > 2 * LARGE
    await server.until(lambda: resource.delivered == 2)
    sock.close()


@running
async def test_it_is_not_told_if_the_client_leaves_before(server):
    """Whoever loses the connection has not got the response."""
    server.site.resource = resource = LargeWhole()
    sock = client(await server.listen())
    sock.sendall(get("/a"))
    await server.until(lambda: resource.requests)
    sock.close()
    await server.until(lambda: not server.site.connections.open)
    assert resource.delivered == 0


def test_a_producer_that_was_not_unregistered_is_told_of(logged):
    """As in steps; and it is not asked for a part of the next response."""

    def response(request):
        request.registerProducer(OnceSent(lambda: None), True)
        request.respond(FIELDS, b"body")
        return NOT_DONE_YET

    responses = Server(Calling(response)).exchange(get("/a"), get("/b"))
    assert [found.body for found in responses] == [b"body"] * 2
    assert [e["uri"] for e in logged if "producer" in e.get("log_format", "")] == [b"/a", b"/b"]
