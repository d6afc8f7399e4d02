"""The client with connections of its own, through real sockets."""

from __future__ import annotations

import pytest
from twisted.internet.defer import CancelledError
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.web.client import Agent as WebAgent
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from chatter.client import ChatClient, Retries, ServerUnreachable, UnexpectedResponse, http_bodies
from chatter.web import ChatResource
from tests.client.support import listening, make_chat, nothing_open, reactor, serving, until
from tests.ports import free_port

QUICK = Retries(attempts=4, first_wait=0.01)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_conversation_through_a_socket(host):
    """All that works in memory works through a socket, on one connection."""
    async with (
        serving(ChatResource(make_chat(Clock())), host) as url,
        ChatClient.for_url(reactor, url) as client,
    ):
        connected = await client.connect("alice")
        sent = await client.send("hi")
        page = await client.poll()
        health = await client.health()
    assert connected.name == "alice"
    assert page.messages == [sent]
    assert health.status == "OK"


async def test_nobody_listens():
    """A port at which nobody listens is an unreachable server, which got no request."""
    url = f"http://127.0.0.1:{free_port()}"
    async with ChatClient.for_url(reactor, url, retries=QUICK) as client:
        with pytest.raises(ServerUnreachable, match="refused") as caught:
            await client.connect("alice")
    assert not caught.value.may_have_arrived


async def test_no_such_host():
    """A host that has no address is an unreachable server, which got no request."""
    async with ChatClient.for_url(reactor, "http://nowhere.invalid", retries=QUICK) as client:
        with pytest.raises(ServerUnreachable) as caught:
            await client.connect("alice")
    assert not caught.value.may_have_arrived


class Dropping(Resource):
    """Has the chat do what is requested, and drops so many connections instead of responding."""

    isLeaf = True

    def __init__(self, chat_resource, drops):
        super().__init__()
        self._chat_resource = chat_resource
        self._drops = drops

    def render(self, request):
        child = self._chat_resource.getChildWithDefault(request.path.strip(b"/"), request)
        if self._drops and request.path == b"/send":
            self._drops -= 1
            # The response is made, which is after the message was stored, and then lost.
            request.write = lambda data: request.transport.abortConnection()
        return child.render(request)


async def test_a_connection_that_breaks_after_a_send():
    """A message whose response the network swallowed is in the chat once."""
    chat = make_chat(Clock())
    async with (
        serving(Dropping(ChatResource(chat), drops=2)) as url,
        ChatClient.for_url(reactor, url, retries=QUICK) as client,
    ):
        await client.connect()
        sent = await client.send("hi")
        page = await client.poll()
    assert page.messages == [sent]


async def test_a_server_that_restarts_between_two_sends():
    """A connection that was kept and died meanwhile costs nothing but another attempt."""
    resource = ChatResource(make_chat(Clock()))
    async with nothing_open():
        async with listening(resource, free_port()) as url:
            client = ChatClient.for_url(reactor, url, retries=QUICK)
            await client.connect()
            await client.send("before")
        async with listening(resource, port=int(url.rpartition(":")[2])):
            await client.send("after")
            page = await client.poll()
            await client.close()
    assert [message.text for message in page.messages] == ["before", "after"]


class Stalling(Resource):
    """Begins a response, and never goes on."""

    isLeaf = True
    begun = False
    left = False

    def render(self, request):
        self.begun = True
        request.notifyFinish().addErrback(self._gone)
        request.setHeader(b"Content-Length", b"100")
        request.write(b'{"status":')
        return NOT_DONE_YET

    def _gone(self, _):
        self.left = True


async def test_a_response_that_stalls():
    """Half a response is none: the attempt times out, and its connection is closed."""
    stalling = Stalling()
    async with serving(stalling) as url:
        clock = Clock()
        client = ChatClient(url, agent=WebAgent(reactor), clock=clock, retries=Retries(attempts=1))
        health = client.health()
        await until(lambda: stalling.begun)
        clock.advance(60)
        with pytest.raises(ServerUnreachable, match="did not respond within"):
            await health
        await until(lambda: stalling.left)


async def test_giving_up_in_the_middle_of_a_response(monkeypatch):
    """Cancelling while a response is read closes the connection."""
    stalling, read = Stalling(), []
    monkeypatch.setattr(http_bodies._Reader, "dataReceived", lambda _, data: read.append(data))
    async with serving(stalling) as url:
        client = ChatClient.for_url(reactor, url)
        health = client.health()
        await until(lambda: read)
        health.cancel()
        with pytest.raises(CancelledError):
            await health
        await until(lambda: stalling.left)
        await client.close()


async def test_giving_up_before_the_connection_is_made():
    """Cancelling at the very beginning is no error of the server either."""
    async with serving(Stalling()) as url:
        client = ChatClient.for_url(reactor, url)
        health = client.health()
        health.cancel()
        with pytest.raises(CancelledError):
            await health
        await client.close()


class Nonsense(Protocol):
    """Speaks something, but not HTTP."""

    def connectionMade(self):
        assert self.transport is not None
        self.transport.write(b"220 mail.example ESMTP\r\n")


async def test_a_server_that_does_not_speak_http():
    """A port at which something else listens is no chat server: it is not tried again."""
    async with nothing_open():
        port = reactor.listenTCP(0, Factory.forProtocol(Nonsense), interface="127.0.0.1")
        client = ChatClient.for_url(reactor, f"http://127.0.0.1:{port.getHost().port}")
        with pytest.raises(UnexpectedResponse, match="not valid HTTP"):
            await client.health()
        await client.close()
        await port.stopListening()
