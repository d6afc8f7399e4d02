"""``ChatClient.follow`` has each message once, whatever happens to the connection."""

from __future__ import annotations

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.task import Clock, deferLater
from twisted.web.client import Agent
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from chatter.client import ChatClient, ServerUnreachable, UnexpectedResponse
from chatter.client.failures import SILENCE
from chatter.client.subscription import ENTRIES, MESSAGES, Subscription
from chatter.protocol.errors import Gone, Unauthorized
from chatter.protocol.model import Edited
from tests.client.real_server import client_of, event, next_of, result, server
from tests.client.support import until


async def test_what_is_unread_and_what_comes(tmp_path):
    """A follower gets what it has not read, then everything else as it is sent."""
    async with server(tmp_path / "chat") as (_, port):
        alice, bob = client_of(port), client_of(port)
        await alice.connect("alice")
        me = await bob.connect("bob")
        sent = [await alice.send(text) for text in ("one", "two")]
        followed = bob.follow()
        got = [await anext(followed), await anext(followed)]
        sent.append(await alice.send_private(me.user_id, "three"))
        got.append(await anext(followed))
        assert got == sent
        await followed.aclose()
        await alice.close()
        await bob.close()


async def test_a_restart_of_the_server_loses_and_doubles_nothing(tmp_path):
    """A follower goes on by itself when the server is back, with what was sent meanwhile."""
    async with server(tmp_path / "chat") as (chat, port):
        bob = client_of(port)
        await bob.connect("bob")
        user = await chat.join("alice")
        first = await chat.send(user, "one")
        followed = bob.follow()
        assert await anext(followed) == first
    coming = next_of(followed)
    async with server(tmp_path / "chat", port) as (chat, _):
        second = await chat.send(user, "two")
        assert await coming == second
        coming = next_of(followed)
        third = await chat.send(user, "three")
        assert await coming == third
        await followed.aclose()
        await bob.close()


async def test_closing_the_client_ends_the_following(tmp_path):
    """Whoever waits for a message comes to the end of the messages, without an error."""
    async with server(tmp_path / "chat") as (_, port):
        texts: list[str] = []

        async def follow(client):
            followed = client.follow()
            texts.append((await anext(followed)).text)
            texts.extend([message.text async for message in followed])

        async with client_of(port) as client:
            await client.connect("alice")
            following = Deferred.fromCoroutine(follow(client))
            await client.send("one")
            await until(lambda: texts)
            assert not following.called
        await following
        assert texts == ["one"]


async def test_the_server_learns_how_far_was_read(tmp_path):
    """What a caller has taken is acknowledged while it waits for more."""
    async with server(tmp_path / "chat") as (chat, port):
        clock = Clock()
        bob = ChatClient(f"http://127.0.0.1:{port}", agent=Agent(reactor), clock=clock)
        connected = await bob.connect("bob")
        user = await chat.user(connected.user_id)
        sent = await chat.send(user, "one")
        followed = bob.follow()
        await anext(followed)
        coming = next_of(followed)
        # Not so far that the stream counts as silent.
        for _ in range(100):
            clock.advance(0.1)
            await deferLater(reactor, 0)

        async def is_acknowledged():
            return await chat.cursor(user) == sent.id

        await until(is_acknowledged)
        later = await chat.send(user, "two")
        assert await coming == later
        await followed.aclose()


async def test_a_server_that_is_busy_is_tried_again(tmp_path):
    """503 and 429 make a follower come back later; 401 ends it."""

    class Busy(Resource):
        isLeaf = True
        requests = 0

        def render_GET(self, request):
            self.requests += 1
            if self.requests < 3:
                request.setResponseCode(503)
                return b"busy"
            request.setResponseCode(401)
            request.setHeader(b"Content-Type", b"application/problem+json")
            return b'{"type": "urn:chatter:unauthorized", "title": "", "status": 401, "detail": ""}'

    busy = Busy()
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Site(busy))
    client = client_of(port.getHost().port, token="t")
    client.cursor = 0
    with pytest.raises(Unauthorized):
        await anext(client.follow())
    assert busy.requests == 3
    await client.close()
    await port.stopListening()
    await deferLater(reactor, 0.05)


async def test_what_is_no_chat_is_refused():
    """A stream of something else is an error, not a message."""

    class Other(Resource):
        isLeaf = True

        def render_GET(self, request):
            request.setHeader(b"Content-Type", b"text/event-stream")
            request.write(b"data: hello\n\n")
            return NOT_DONE_YET

    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Site(Other()))
    client = client_of(port.getHost().port, token="t")
    client.cursor = 0
    with pytest.raises(UnexpectedResponse):
        await anext(client.follow())
    await client.close()
    await port.stopListening()
    await deferLater(reactor, 0.05)


class Transport:
    """The connection of a stream, as a test sees it."""

    def __init__(self):
        self.paused = False
        self.closed = False

    def pauseProducing(self):
        self.paused = True

    def resumeProducing(self):
        self.paused = False

    def loseConnection(self):
        self.closed = True


def listening():
    clock = Clock()
    stream = Subscription(clock, 0, MESSAGES)
    transport = Transport()
    stream.makeConnection(transport)
    return clock, stream, transport


def test_a_connection_that_falls_silent_is_given_up():
    """A half-open connection is noticed by its missing heartbeats, and closed."""
    clock, stream, transport = listening()
    waiting = result(stream.next())
    clock.advance(SILENCE - 1)
    stream.dataReceived(b":\n\n")
    clock.advance(SILENCE - 1)
    assert not waiting
    clock.advance(1)
    assert waiting[0].check(ServerUnreachable)
    assert transport.closed
    assert not clock.getDelayedCalls()


def test_bytes_that_end_no_line_are_silence():
    """A server that drips byte after byte, and never ends a line, is given up, too."""
    clock, stream, transport = listening()
    waiting = result(stream.next())
    for _ in range(4):
        clock.advance(SILENCE / 4)
        stream.dataReceived(b":")
    assert waiting[0].check(ServerUnreachable)
    assert transport.closed


def test_comments_have_a_rate():
    """A server may send comments for ever, but not as fast as it can."""
    clock, stream, transport = listening()
    for _ in range(100):
        stream.dataReceived(b":\n" * 8000)
        clock.advance(1)
    assert not transport.closed
    for _ in range(100):
        stream.dataReceived(b":\n" * 8000)
    assert transport.closed
    assert result(stream.next())[0].check(UnexpectedResponse)


def test_a_wait_that_is_no_sensible_one():
    """A server can't have a client stay away for days."""
    _, stream, _ = listening()
    stream.dataReceived(b"retry: 1500\n\n")
    assert stream.retry == 1.5
    stream.dataReceived(b"retry: 999999999\n\n")
    assert stream.retry == 300
    stream.close()


def test_a_caller_who_takes_nothing_stops_the_reading():
    """Messages that nobody takes do not pile up: the connection is paused."""
    clock, stream, transport = listening()
    for number in range(1, 6001):
        stream.dataReceived(event(number))
    assert transport.paused
    taken = [result(stream.next())[0].id for _ in range(6000)]
    assert taken == list(range(1, 6001))
    assert not transport.paused
    stream.close()
    assert not clock.getDelayedCalls()


def test_what_came_before_the_end_is_still_taken():
    """A stream that breaks has all that came before, and then says so."""
    _, stream, _ = listening()
    stream.dataReceived(event(1) + event(2)[:20])
    stream.connectionLost()
    assert result(stream.next())[0].id == 1
    assert result(stream.next())[0].check(ServerUnreachable)


def test_waiting_for_a_while():
    """``next`` with a time returns ``None`` when nothing came."""
    clock, stream, _ = listening()
    waiting = result(stream.next(5))
    clock.advance(5)
    assert waiting == [None]
    stream.close()
    assert not clock.getDelayedCalls()


async def test_who_follows_entries_is_told_of_changes(tmp_path):
    """Through a restart, too; who follows messages has messages only."""
    path = tmp_path / "chat.sqlite"
    async with server(path) as (_, port):
        alice, bob = client_of(port), client_of(port)
        await alice.connect("alice")
        await bob.connect("bob")
        one, two = await alice.send("one"), await alice.send("two")
        entries, messages = bob.follow_entries(), alice.follow()
        assert [await anext(entries), await anext(entries)] == [one, two]
        assert [await anext(messages), await anext(messages)] == [one, two]
        edited = await alice.edit(one.id, "new")
        assert await anext(entries) == Edited(3, one.id, "new", edited.edited_at)
        with pytest.raises(Gone):
            await bob.withdraw(two.id)
        await alice.withdraw(two.id)
    async with server(path, port):
        withdrawn = await anext(entries)
        assert (withdrawn.id, withdrawn.message_id, withdrawn.by_id) == (4, two.id, 1)
        with pytest.raises(Gone):
            await alice.withdraw(two.id)
        three = await alice.send("three")
        assert await anext(entries) == three
        assert await anext(messages) == three
        for client in (alice, bob):
            await client.close()


async def test_a_change_that_is_not_known_is_passed_over():
    """There may be other kinds one day."""
    stream = Subscription(Clock(), 0, ENTRIES)
    at = "2026-01-01T00:00:00Z"
    known = f'{{"change":"withdrawn","id":2,"message_id":1,"at":"{at}","by_id":1}}'
    for number, data in ((1, '{"change":"painted","id":1}'), (2, known)):
        stream.dataReceived(f"id: {number}\nevent: change\ndata:{data}\n\n".encode())
    change = await stream.next()
    assert change is not None
    assert change.id == 2
    stream.close()
