"""A real server in this process, and clients of it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint

from chatter.chat import Chat
from chatter.client import ChatClient, Retries
from chatter.service import ChatService
from chatter.stores.sqlite import SQLiteStore
from chatter.testing.waiting import begun
from chatter.web import ChatResource
from chatter.web.site import ChatSite
from tests.ports import free_port

SOON = Retries(first_wait=0.05, longest_wait=0.2)


@asynccontextmanager
async def server(path, port=None):
    """A real server on a real file and a real port."""
    chat = Chat(SQLiteStore(path, reactor), reactor)
    port = port or free_port()
    endpoint = TCP4ServerEndpoint(reactor, port, interface="127.0.0.1")
    service = ChatService(chat, ChatSite(ChatResource(chat), reactor), [endpoint])
    await service.startService()
    try:
        yield chat, port
    finally:
        await service.stopService()


def client_of(port, **more):
    return ChatClient.for_url(reactor, f"http://127.0.0.1:{port}", retries=SOON, **more)


def next_of(followed: Any) -> Deferred[Any]:
    return Deferred.fromCoroutine(followed.__anext__())


def result(coroutine):
    results: list[Any] = []
    begun(coroutine).addBoth(results.append)
    return results


def event(number):
    message = (
        f'{{"id":{number},"sender_id":1,"recipient_id":null,"text":"a",'
        f'"sent_at":"2026-01-01T00:00:00Z"}}'
    )
    return f"id: {number}\nevent: message\ndata: {message}\n\n".encode()
