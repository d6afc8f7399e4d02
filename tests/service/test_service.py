"""``ChatService``: it starts and stops in order, again and again, and says what went wrong."""

from __future__ import annotations

from typing import Any

import pytest
import treq
from twisted.application.service import Application, IService, IServiceCollection, MultiService
from twisted.internet import reactor
from twisted.internet.defer import Deferred, fail
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.python.components import Componentized
from zope.interface import implementer

from chatter import Chat, ChatClient, ChatResource, ChatService
from chatter.chat.chat import core_of
from chatter.protocol.errors import StoreUnavailable
from chatter.stores.memory import MemoryStore
from chatter.stores.sqlite import SQLiteStore
from chatter.testing.waiting import begun
from chatter.web.site import ChatSite
from tests.client.support import until
from tests.ports import free_port


class Endpoint:
    """A port of the loopback interface."""

    def __init__(self):
        self.port: int = free_port()

    def listen(self, factory):
        return TCP4ServerEndpoint(reactor, self.port, interface="127.0.0.1").listen(factory)


class AwayStore(MemoryStore):
    """A store that can't be opened at first."""

    attempts = 0

    def startService(self):
        self.attempts += 1
        if self.attempts == 1:
            return fail(StoreUnavailable("The store is away."))
        return super().startService()


@implementer(IStreamServerEndpoint)
class LateEndpoint:
    """An endpoint that takes its time."""

    def __init__(self):
        self.listening: Deferred[Any] = Deferred()

    def listen(self, protocolFactory):
        return self.listening


def service_of(store, *endpoints, access_log=None):
    chat = Chat(store, reactor)
    return ChatService(chat, ChatSite(ChatResource(chat), reactor, access_log), endpoints)


def client_of(endpoint, token=None):
    return ChatClient.for_url(reactor, f"http://127.0.0.1:{endpoint.port}", token=token)


async def refuses(endpoint):
    """Whether nobody listens there."""
    try:
        port: Any = await Endpoint.listen(endpoint, ChatSite(ChatResource(MEMORY), reactor))
    except CannotListenError:
        return False
    await port.stopListening()
    return True


MEMORY = Chat(MemoryStore(), reactor)


async def test_it_can_be_started_again(tmp_path):
    """After a stop it starts as at first, with what it held, on connections of any kind."""
    endpoint = Endpoint()
    service = service_of(
        SQLiteStore(tmp_path / "chat", reactor), endpoint, access_log=str(tmp_path / "log")
    )
    texts = []
    token = None
    for number in range(3):
        await service.startService()
        client = client_of(endpoint, token)
        connected = await client.connect(None if token else "alice")
        token = connected.token or token
        await client.send(f"{number}")
        texts.append(f"{number}")
        # The second one comes on the same connection, unless the site still drains.
        await client.send("again")
        texts.append("again")
        page = await service.chat.peek(await service.chat.user(connected.user_id), after=0)
        assert [message.text for message in page.messages] == texts
        await client.close()
        await service.stopService()
        assert await refuses(endpoint)
    assert (tmp_path / "log").read_text().count("POST /send ") == 6


async def test_a_second_start_breaks_nothing():
    """Starting what runs fails, and what runs goes on."""
    endpoint = Endpoint()
    service = service_of(MemoryStore(), endpoint)
    await service.startService()
    for again in (service.startService, service.chat.startService):
        with pytest.raises(RuntimeError, match="runs already"):
            await again()
    with pytest.raises(RuntimeError, match="runs already"):
        service.privilegedStartService()
    client = client_of(endpoint)
    await client.connect()
    await client.close()
    await service.stopService()
    assert await refuses(endpoint)


async def test_starts_and_stops_wait_for_each_other():
    """However they are called, they happen one after the other, in their order."""
    endpoint = Endpoint()
    service = service_of(MemoryStore(), endpoint)
    changes = [
        change()
        for change in (
            service.startService,
            service.stopService,
            service.stopService,
            service.startService,
        )
    ]
    for change in changes:
        await change
    client = client_of(endpoint)
    await client.connect()
    await client.close()
    await service.stopService()


async def test_a_stop_before_the_start_gives_the_ports_back():
    """Ports that were bound early are free again."""
    endpoint = Endpoint()
    service = service_of(MemoryStore(), endpoint)
    service.privilegedStartService()
    await service.stopService()
    assert await refuses(endpoint)


async def test_a_port_in_use_is_told():
    """The start fails, nothing stays bound, and it can be tried again."""
    taken, free = Endpoint(), Endpoint()
    other = service_of(MemoryStore(), taken)
    await other.startService()
    service = service_of(MemoryStore(), free, taken)
    with pytest.raises(CannotListenError):
        service.privilegedStartService()
    with pytest.raises(CannotListenError):
        await service.startService()
    assert not service.running
    assert await refuses(free)
    await other.stopService()
    await service.startService()
    await service.stopService()


async def test_an_endpoint_that_fails_later_is_told(logged):
    """Also an endpoint that takes its time fails the start, and gives the others back."""
    free, late = Endpoint(), LateEndpoint()
    service = service_of(MemoryStore(), free, late)
    starting = service.startService()
    assert not starting.called
    late.listening.errback(CannotListenError(None, 80, "there is no such place"))
    with pytest.raises(CannotListenError, match="no such place"):
        await starting
    assert await refuses(free)
    assert not service.running
    assert not service.chat.running
    assert any("no such place" in str(event.get("error")) for event in logged)


async def test_a_store_that_is_away_is_told_and_can_be_tried_again():
    """The start fails with the store's own reason; nobody was let in."""
    endpoint = Endpoint()
    service = service_of(AwayStore(), endpoint)
    with pytest.raises(StoreUnavailable, match="away"):
        await service.startService()
    assert await refuses(endpoint)
    assert not service.chat.running
    await service.startService()
    await service.stopService()


async def test_what_others_wrote_meanwhile_is_read(tmp_path):
    """A store that was stopped and written to elsewhere is read anew."""
    endpoint = Endpoint()
    service = service_of(SQLiteStore(tmp_path / "chat", reactor), endpoint)
    await service.startService()
    client = client_of(endpoint)
    token = (await client.connect("alice")).token
    await client.send("one")
    await client.close()
    await service.stopService()
    other = Chat(SQLiteStore(tmp_path / "chat", reactor), reactor)
    await other.startService()
    await other.send(await other.join("bob"), "two")
    await other.stopService()
    await service.startService()
    client = client_of(endpoint, token)
    await client.connect()
    texts = [message.text async for message in client.unread()]
    assert texts[-2:] == ["one", "two"]
    await client.close()
    await service.stopService()


async def test_a_stop_ends_whatever_waits():
    """A follower in process ends, waiting polls and streams get their responses."""
    endpoint = Endpoint()
    service = service_of(MemoryStore(), endpoint)
    await service.startService()
    chat = service.chat
    bob = await chat.join("bob")
    followed: Any = chat.follow(bob)
    coming = begun(anext(followed))
    waiting = chat.poll(bob, wait=60)
    url = f"http://127.0.0.1:{endpoint.port}"
    connected: Any = await begun(treq.post(f"{url}/connect", persistent=False))
    headers: Any = {"Authorization": connected.headers.getRawHeaders("Authorization")[0]}
    polled = begun(treq.get(f"{url}/status?wait=60", headers=headers, persistent=False))
    stream: Any = await begun(treq.get(f"{url}/events", headers=headers, persistent=False))
    await until(lambda: len(core_of(chat).live.followers) == 4)
    await service.stopService()
    with pytest.raises(StoreUnavailable):
        await coming
    assert (await waiting).messages == []
    assert (await (await polled).json())["messages"] == []
    assert (await stream.content()).startswith(b"retry:")
    # Who comes now does not wait, either.
    with pytest.raises(StoreUnavailable):
        await chat.poll(bob, wait=60)


@pytest.mark.parametrize("ports", ["0", ["tcp:0:interface=127.0.0.1"]])
async def test_one_line_makes_it(tmp_path, ports):
    """A store and a place to listen, as strings, make a service of any application."""
    service = ChatService.for_store(reactor, f"sqlite:{tmp_path}/chat", ports)
    application = Application("mine")
    service.setServiceParent(application)
    assert list(IServiceCollection(application)) == [service]
    assert isinstance(application, Componentized)
    await service.startService()
    await service.chat.join("alice")
    await service.stopService()
    assert (tmp_path / "chat").exists()
    assert IService(application).running == 0


@pytest.mark.parametrize(
    ("store", "ports"), [("mysql:x", "0"), ("memory:", "nonsense"), ("memory:", ["0", "tcp:x"])]
)
def test_what_makes_no_sense_is_refused_at_once(store, ports):
    """A wrong store or port raises when the service is made."""
    with pytest.raises(ValueError):
        ChatService.for_store(reactor, store, ports)


async def test_in_a_service_that_runs():
    """Attached to a parent that runs, it starts; taken away from it, it stops."""
    parent = MultiService()
    parent.startService()
    service = service_of(MemoryStore(), Endpoint())
    service.setServiceParent(parent)
    assert service.running
    await service.disownServiceParent()
    assert not service.running
    service.setServiceParent(parent)
    assert service.running
    await parent.stopService()
    assert not service.running
