"""A server can't take a client's memory, processor or time: each attempt ends with one line."""

from __future__ import annotations

import gzip
import zlib

import pytest
from twisted.internet.task import Clock

from chatter.client import ChatClient, ServerUnreachable, UnexpectedResponse
from chatter.client.connections import MAX_HEAD, Connections
from chatter.client.tls import StrictPolicy
from tests.client.hostile import error_of, flooded
from tests.client.support import Rig, Scripted, nothing_open, reactor

OK = b"HTTP/1.1 200 OK\r\n"
JSON = OK + b"Content-Type: application/json\r\n"
EVENTS = OK + b"Content-Type: text/event-stream\r\n"


def chunk(data, extension=b""):
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


def message(number, text=b"a"):
    return (
        b'{"id":%d,"sender_id":1,"recipient_id":null,"text":"%s",'
        b'"sent_at":"2026-01-01T00:00:00Z"}' % (number, text)
    )


def event(number, text=b"a"):
    return b"id: %d\nevent: message\ndata: %s\n\n" % (number, message(number, text))


HEADS = {
    "a header without end": (OK + b"X: ", b"x" * 65536),
    "headers without end": (OK, b"X: y\r\n" * 10_000),
    "continued headers": (OK + b"X: y\r\n", b" z\r\n" * 10_000),
    "lines that end with LF": (b"HTTP/1.1 200 OK\n", b"X: y\n" * 10_000),
    "a status line without end": (b"HTTP/1.1 200 ", b"x" * 65536),
    "interim responses": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000),
    "odd interim responses": (b"", b"HTTP/1.1 +1_0_0\n\n" * 1000),
    "interim responses with headers": (b"", b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" * 1000),
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
async def test_a_head_without_end(head):
    """A head has a bounded size, together with the interim responses before it."""
    async with flooded(*head) as client:
        error = await error_of(client.health(), seconds=1, megabytes=20)
        assert isinstance(error, UnexpectedResponse)
        assert "head" in error.detail


async def test_a_head_of_just_the_largest_size():
    """What a proxy may add fits in; interim responses that come alone are ignored."""
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    head = JSON + b"Content-Length: 15\r\n"
    padding = b"X: " + b"x" * (MAX_HEAD - len(interim) - len(head) - 7) + b"\r\n\r\n"
    async with flooded(interim + head + padding + b'{"status":"OK"}') as client:
        for _ in range(3):
            assert (await client.health()).status == "OK"


BODIES = {
    "a body without end": (JSON + b"\r\n", b" " * 65536),
    "a long body": (JSON + b"Content-Length: 99999999999\r\n\r\n", b" " * 65536),
    "chunks without end": (JSON + b"Transfer-Encoding: chunked\r\n\r\n", chunk(b" " * 60000)),
    "trailers without end": (
        JSON + b"Transfer-Encoding: chunked\r\n\r\n0\r\n",
        b"X: y\r\n" * 10_000,
    ),
    "a chunk size without end": (JSON + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 65536),
    "an unknown transfer encoding": (JSON + b"Transfer-Encoding: gzip\r\n\r\n", b"x" * 65536),
    "a length that is none": (JSON + b"Content-Length: some\r\n\r\n", b"x" * 65536),
    "two lengths": (JSON + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", b"x" * 65536),
    "another protocol": (b"220 mail.example ESMTP\r\n", b""),
    "a compressed body": (
        JSON + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b" " * 10_000_000),
        b"",
    ),
    "a compression with another name": (JSON + b"Content-Encoding: br\r\n\r\n", b"x" * 65536),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_that_is_none(body):
    """A body has a bounded size, and is valid HTTP."""
    async with flooded(*body) as client:
        assert isinstance(await error_of(client.health(), seconds=1.5), UnexpectedResponse)


async def test_a_page_without_end():
    """A page of messages is larger than other bodies, but bounded, too."""
    async with flooded(JSON + b"\r\n", b" " * 65536) as client:
        error = await error_of(client.poll(), megabytes=150)
        assert isinstance(error, UnexpectedResponse)


async def test_a_page_in_tiny_chunks():
    """A part of a body costs something, however few bytes it has."""
    chunked = JSON + b"Transfer-Encoding: chunked\r\n\r\n"
    async with flooded(chunked, chunk(b" ") * 10_000) as client:
        assert isinstance(await error_of(client.users(), seconds=1), UnexpectedResponse)


CHUNKED = EVENTS + b"Transfer-Encoding: chunked\r\n\r\n"

STREAMS = {
    "newlines": (EVENTS + b"\r\n", b"\n" * 65536),
    "carriage returns": (EVENTS + b"\r\n", b"\r" * 65536),
    "comments": (EVENTS + b"\r\n", b":\n\n" * 20_000),
    "comments in chunks": (CHUNKED, chunk(b":\n") * 5000),
    "chunks with extensions": (CHUNKED, chunk(b"\n", b";" + b"x" * 900) * 50),
    "ids and names": (EVENTS + b"\r\n", b"id: 1\nevent: message\nretry: 1\n" * 2000),
    "other events": (EVENTS + b"\r\n", b"event: other\ndata: x\n\n" * 3000),
    "a line without end": (EVENTS + b"\r\ndata: ", b"x" * 65536),
    "a comment without end": (EVENTS + b"\r\n:", b"x" * 65536),
    "an event without end": (EVENTS + b"\r\n", b"data\n" * 10_000),
    "the same message": (EVENTS + b"\r\n", event(1)),
    "messages in the wrong order": (EVENTS + b"\r\n", event(2) + event(1)),
    "an id that is no id": (EVENTS + b"\r\n", event(2**63)),
    "an id of many digits": (EVENTS + b"\r\n", event(10**4000)),
    "a message deep inside": (EVENTS + b"\r\n", b"data: " + b"[" * 200_000 + b"\n\n"),
    "no valid HTTP": (CHUNKED, b"zzz\r\n"),
}


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
async def test_a_stream_that_is_none_of_a_chat(stream):
    """An event stream brings messages in order, and little else."""
    async with flooded(*stream) as client:

        async def follow():
            async for _ in client.follow():
                pass

        assert isinstance(await error_of(follow()), UnexpectedResponse)


async def test_a_compressed_stream():
    """A stream that would become a thousand times larger is not read."""
    compressor = zlib.compressobj(wbits=31)
    endless = compressor.compress(b"\n" * 10_000_000)
    async with flooded(EVENTS + b"Content-Encoding: gzip\r\n\r\n", endless) as client:
        error = await error_of(anext(client.follow()), seconds=1)
        assert "compressed" in error.detail


async def test_a_response_that_drips():
    """Bytes that come slowly do not make an attempt longer."""
    async with nothing_open(), flooded(b"HTTP/1.1 200 OK\r\nX: y\r\n") as other:
        connections = Connections(reactor, StrictPolicy())
        client = ChatClient(other.url, agent=connections.agent, clock=reactor, timeout=0.2)
        error = await error_of(client.health(), seconds=1)
        assert isinstance(error, ServerUnreachable)
        await connections.close()


def page(messages, cursor, more="true"):
    body = b'{"messages":[%s],"cursor":%d,"more":%s}' % (
        b",".join(messages),
        cursor,
        more.encode(),
    )
    return 200, {"Content-Type": "application/json"}, body


@pytest.mark.parametrize(
    "response",
    [
        page([message(7)], 7),
        page([], 0),
        page([], 5),
        page([], 6),
        page([message(6), message(6)], 6),
        page([message(7), message(6)], 7),
        page([message(6)], 5),
        page([message(6)], -1),
        page([], 4, more="false"),
    ],
)
def test_pages_that_do_not_go_on(response):
    """Pages that say that there is more have to go on; none goes back."""
    rig = Rig(Scripted(response))
    client = rig.client(token="t")
    client.cursor = 5

    async def read():
        return [message async for message in client.unread()]

    with pytest.raises(UnexpectedResponse):
        rig.result(read())
    assert len(rig.agent.requests) <= 2


@pytest.mark.parametrize(
    "response", [page([], 0), page([message(9)], 9), page([message(2), message(1)], 2)]
)
def test_a_history_that_does_not_go_on(response):
    """Whoever pages back while there is more comes to an end."""
    rig = Rig(Scripted(response))
    with pytest.raises(UnexpectedResponse):
        rig.result(rig.client(token="t").history(before=9))


@pytest.mark.parametrize("users", [b"", b'{"id":1,"name":"a","online":true,"last_seen":"%s"}'])
def test_a_list_of_users_that_does_not_go_on(users):
    """Whoever lists users while there is more comes to an end."""
    users = users.replace(b"%s", b"2026-01-01T00:00:00Z")
    rig = Rig(Scripted((200, {}, b'{"users":[%s],"more":true}' % users)))
    with pytest.raises(UnexpectedResponse):
        rig.result(rig.client(token="t").users(after=1))


def test_a_token_that_can_not_be_sent():
    """A token goes into a header: one that would be more than a token is refused."""
    body = b'{"status":"success","user_id":1,"name":"a","cursor":0,"token":"t\\r\\nX: y"}'
    rig = Rig(Scripted((200, {}, body)))
    client = rig.client()
    with pytest.raises(UnexpectedResponse):
        rig.result(client.connect())
    assert client.token is None


NO_TIME = b'"2026-01-01T00:00:00"'
STANDING = b'{"change":"standing","id":9,"user_id":1,"role":"member","at":%s,' % NO_TIME
STANDING += b'"muted_until":%s,"banned_until":null}' % NO_TIME


def test_a_time_without_a_zone():
    """It could be compared with no time of this client: it is refused wherever it may come."""
    user = b'{"users":[{"id":1,"name":"a","online":true,"last_seen":%s}],"more":false}' % NO_TIME
    for body, send in ((user, ChatClient.users), (STANDING, _mute)):
        rig = Rig(Scripted((200, {}, body)))
        with pytest.raises(UnexpectedResponse):
            rig.result(send(rig.client(token="t")))
    problem = b'{"type":"urn:chatter:muted","title":"","status":403,"detail":"","until":%s}'
    rig = Rig(Scripted((403, {}, problem % NO_TIME)))
    with pytest.raises(UnexpectedResponse):
        rig.result(rig.client(token="t").send("a"))


def _mute(client):
    return client.moderate(1, "mute")


def test_an_error_of_many_words():
    """What a server says of an error is shown, but not all that it could say."""
    body = b'{"type":"urn:chatter:unauthorized","title":"","status":401,"detail":"%s"}'
    rig = Rig(Scripted((401, {}, body % (b"x" * 100_000))))
    with pytest.raises(Exception, match="x") as caught:
        rig.result(rig.client(token="t").poll())
    assert len(str(caught.value)) <= 500


def test_no_cookies_are_kept():
    """A server can't fill the client's memory with cookies."""
    clock = Clock()
    rig = Rig(Scripted((200, {"Set-Cookie": "a=b"}, b'{"status":"OK"}')), clock)
    client = rig.client()
    for _ in range(2):
        rig.result(client.health())
    assert rig.headers(b"Cookie") == [None, None]
