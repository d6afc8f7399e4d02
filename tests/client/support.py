"""What the tests of the client share: servers of all kinds, and time that is a value."""

from __future__ import annotations

from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from treq.testing import RequestTraversalAgent
from twisted.internet import error, tcp
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater
from twisted.python.failure import Failure
from twisted.web.client import ResponseNeverReceived
from twisted.web.iweb import IAgent
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site
from zope.interface import implementer

from chatter.chat import Chat
from chatter.chat.limits.rate_limits import NO_LIMITS
from chatter.client import ChatClient
from chatter.client.errors import UnexpectedResponse
from chatter.stores.memory import MemoryStore
from chatter.testing.waiting import begun
from chatter.web import ChatResource
from chatter.web.site import ChatSite

URL = "http://chat.example"

reactor: Any = global_reactor

REFUSED = Failure(error.ConnectionRefusedError())
LOST = Failure(ResponseNeverReceived([Failure(error.ConnectionLost())]))


def make_chat(clock, history=20):
    """A chat in memory, open."""
    store = MemoryStore()
    store.startService()
    return Chat(store, clock, history=history, random=Random(7))


class LongAgo:
    """The reactor, as of 1970: what is served by it has the same time stamps every time."""

    callLater = reactor.callLater

    def seconds(self):
        return 0.0


@implementer(IAgent)
class Agent:
    """Asks a resource in memory; breaks the connections that it is told to break.

    :ivar refuse: so many of the next requests never reach the server.
    :ivar lose: so many of the next requests reach it, but their responses are lost.
    """

    def __init__(self, resource, clock):
        self._agent = RequestTraversalAgent(resource)
        self._clock = clock
        self.refuse = 0
        self.lose = 0
        self.requests: list[tuple[float, bytes, bytes, Any]] = []

    def request(self, method, uri, headers=None, bodyProducer=None):
        self.requests.append((self._clock.seconds(), method, uri, headers))
        if self.refuse:
            self.refuse -= 1
            response: Deferred[Any] = Deferred()
            response.errback(REFUSED)
            return response
        response = self._agent.request(method, uri, headers, bodyProducer)
        if self.lose:
            self.lose -= 1
            response.addCallback(lambda _: LOST)
        return response

    def flush(self):
        self._agent.flush()


class Rig:
    """Clients of one resource in memory, and the clock they share."""

    def __init__(self, resource=None, clock=None):
        self.clock = clock or Clock()
        if resource is None:
            self.chat = make_chat(self.clock)
            resource = ChatResource(self.chat, limits=NO_LIMITS)
        self.agent = Agent(resource, self.clock)

    def client(self, url=URL, **options):
        """A client that has not connected."""
        return ChatClient(url, agent=self.agent, clock=self.clock, random=Random(1), **options)

    def start(self, coroutine):
        """Begin something, as far as it goes without time."""
        results: list[Any] = []
        started: Deferred[Any] = begun(coroutine)
        started.addBoth(results.append)
        self._settle(results)
        return started, results

    def result(self, coroutine, within=600.0):
        """What it returns or raises, however much time has to pass until then."""
        _, results = self.start(coroutine)
        deadline = self.clock.seconds() + within
        while not results:
            assert self.clock.seconds() < deadline, "It took too long."
            self.clock.advance(0.25)
            self._settle(results)
        assert self.clock.getDelayedCalls() == [], "A time-out was left behind."
        if isinstance(results[0], Failure):
            results[0].raiseException()
        return results[0]

    def joined(self, name=None):
        """A client that has connected."""
        client = self.client()
        self.result(client.connect(name))
        return client

    def texts(self, client):
        """The texts of everything unread."""

        async def read():
            return [message.text async for message in client.unread()]

        return self.result(read())

    def pass_time(self, seconds):
        """Let time pass, with what happens in it."""
        self.clock.advance(seconds)
        self._settle([])

    @property
    def times(self):
        """When each request was made."""
        return [time for time, *_ in self.agent.requests]

    def headers(self, name):
        """The values of a header, request by request."""
        return [headers.getRawHeaders(name) for *_, headers in self.agent.requests]

    def _settle(self, results):
        # A response may cause a further request, each of which takes some flushes.
        for _ in range(50):
            if results:
                return
            self.agent.flush()


class Scripted(Resource):
    """Sends the responses that it is given, one after the other, and the last one for ever."""

    isLeaf = True

    def __init__(self, *responses):
        super().__init__()
        self._responses = list(responses)
        self.requests = 0

    def render(self, request):
        self.requests += 1
        response = self._responses.pop(0) if len(self._responses) > 1 else self._responses[0]
        if response is None:
            return NOT_DONE_YET
        status, headers, body = response
        request.setResponseCode(status)
        for name, value in headers.items():
            request.setHeader(name, value)
        return body


def problem(slug, status, **headers):
    """The response that the chat has for an error."""
    body = b'{"type":"urn:chatter:%s","title":"T","status":%d,"detail":"D."}' % (
        slug.encode(),
        status,
    )
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"Content-Type": "application/problem+json", **given}, body


@asynccontextmanager
async def nothing_open():
    """Wait in the end until the connections and timers that were begun are gone."""
    readers, calls = set(reactor.getReaders()), set(reactor.getDelayedCalls())
    yield
    await until(
        lambda: set(reactor.getReaders()) <= readers and set(reactor.getDelayedCalls()) <= calls
    )


@asynccontextmanager
async def listening(resource, port=0, host="127.0.0.1"):
    """Serve a resource on a real port, and break all connections to it at the end."""
    before = set(reactor.getReaders())
    # The chat is served as it really is, and what is not the chat by something else.
    is_chat = isinstance(resource, ChatResource)
    site: Any = ChatSite(resource, reactor) if is_chat else Site(resource, reactor=reactor)
    bound = reactor.listenTCP(port, site, interface=host)
    if is_chat:
        site.sockets.take_over(bound)
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{bound.getHost().port}"
    finally:
        await bound.stopListening()
        of_chat = {it.transport for it in site.connections.open} if is_chat else set()
        for transport in (set(reactor.getReaders()) - before) | of_chat:
            if isinstance(transport, tcp.Server):
                transport.abortConnection()


@asynccontextmanager
async def serving(resource, host="127.0.0.1"):
    """Serve a resource on a real port, to clients that have closed at the end."""
    async with nothing_open(), listening(resource, host=host) as url:
        yield url


async def until(condition, seconds=60.0, seen=lambda: ""):
    """Wait for something outside of this process.

    :param condition: may return what has to be awaited.
    :param seen: what there was instead, for the message that it did not happen.
    """
    deadline = reactor.seconds() + seconds
    while True:
        found = condition()
        if hasattr(found, "__await__"):
            found = await found
        if found:
            return found
        assert reactor.seconds() < deadline, f"It did not happen. {seen()}"
        await deferLater(reactor, 0.02)


def must_not_be_taken(page):
    """See that a page is an error for a client at 5 of the epoch "a", which stays there."""
    rig = Rig(Scripted(page))
    client = rig.client(token="t")
    client.cursor, client.epoch = 5, "a"
    with pytest.raises(UnexpectedResponse):
        rig.result(client.poll())
    assert (client.cursor, client.epoch) == (5, "a")
