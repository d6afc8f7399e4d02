"""Responses without an end: what takes a connection's place once only bytes go out."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.web.server import NOT_DONE_YET

from tests.httpd.calling import Calling
from tests.httpd.sockets import LARGE, client, read_all, running
from tests.httpd.support import Server, get


class Owner:
    """Who writes to a stream."""

    def __init__(self):
        self.stream = None
        self.told = []

    def begin(self, request):
        self.stream = request.begin_stream(self)
        return NOT_DONE_YET

    def stream_paused(self):
        pass

    def stream_resumed(self):
        self.told.append("resumed")

    def stream_lost(self):
        self.told.append("lost")


@pytest.fixture
def owner():
    return Owner()


async def begun(server, owner, before=b""):
    """A client of a stream that has begun."""

    def begin(request):
        request.channel.write(before)
        return owner.begin(request)

    server.site.resource = Calling(begin)
    sock = client(await server.listen())
    sock.sendall(get())
    await server.until(lambda: owner.stream is not None)
    return sock


@running
async def test_a_stream_ends_with_its_connection(server, owner):
    """Its head tells no length and no chunks; its bytes are those that were written."""
    sock = await begun(server, owner)
    owner.stream.write(b"a")
    owner.stream.write(b"bc")
    owner.stream.close()
    head, _, body = (await deferToThread(read_all, sock)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Connection: close" in head
    assert b"Transfer-Encoding" not in head
    assert b"Content-Length" not in head
    assert body == b"abc"
    assert owner.told == ["lost"]
    sock.close()


@running
async def test_a_stream_has_no_deadline_while_all_is_taken(server, owner):
    """It may wait for ever, and what its client still sends is not read."""
    sock = await begun(server, owner)
    sock.sendall(get() * 10)
    await server.advance(300)
    assert owner.told == []
    [connection] = server.site.connections.open
    assert connection is owner.stream
    assert server.site.connections.open == {owner.stream}
    sock.close()
    await server.until(lambda: owner.told == ["lost"])


@pytest.mark.parametrize("when", ["before", "after"])
@running
async def test_a_stream_that_is_not_taken_is_cut_off(server, owner, when):
    """Whether it was full when it began or got full later, its client has the limit's time."""
    sock = await begun(server, owner, bytes(LARGE) if when == "before" else b"")
    if when == "after":
        owner.stream.write(bytes(LARGE))
    assert owner.stream.paused
    await server.advance(28)
    assert owner.told == []
    await server.advance(4)
    await server.until(lambda: owner.told == ["lost"])
    sock.close()


@running
async def test_a_stream_goes_on_when_all_is_taken(server, owner):
    """Its owner hears it once nothing is left."""
    sock = await begun(server, owner)
    owner.stream.write(bytes(LARGE))
    reading = deferToThread(read_all, sock)
    await server.until(lambda: owner.told == ["resumed"])
    assert not owner.stream.paused
    owner.stream.close()
    assert len((await reading).partition(b"\r\n\r\n")[2]) == LARGE
    sock.close()


@running
async def test_draining_ends_streams(server, owner):
    """A stream is closed at once: its client comes back by itself."""
    sock = await begun(server, owner)
    drained = Deferred.fromCoroutine(server.site.drain())
    assert (await deferToThread(read_all, sock)).endswith(b"\r\n\r\n")
    await drained
    assert owner.told == ["lost"]
    sock.close()


@running
async def test_a_stream_that_begins_while_draining_ends_at_once(server, owner):
    """What is under way when the site drains gets its head, and does not hold up the end."""
    requests = []

    def hold(request):
        requests.append(request)
        return NOT_DONE_YET

    server.site.resource = Calling(hold)
    sock = client(await server.listen())
    sock.sendall(get())
    await server.until(lambda: requests)
    drained = Deferred.fromCoroutine(server.site.drain())
    owner.begin(requests[0])
    owner.stream.write(b"a")
    assert (await deferToThread(read_all, sock)).endswith(b"\r\n\r\na")
    await drained
    assert owner.told == ["lost"]
    sock.close()


def test_other_transports_have_no_such_streams(owner):
    """Over TLS, or in memory, a response without an end is written like any other."""
    connection = Server(Calling(owner.begin)).connect()
    connection.send(get())
    assert owner.stream is None
    assert connection.received() == b""
    connection.lose()
