"""A chat in an application's own site, under Twisted's server, through a stop and a start."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any

import treq
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.web.resource import Resource
from twisted.web.server import Site

from chatter import Chat, ChatResource
from chatter.chat.chat import core_of
from chatter.stores.sqlite import SQLiteStore
from chatter.testing.waiting import begun
from tests.client.support import until


@asynccontextmanager
async def serving(chat):
    """The chat at a place of a site; yields its URL."""
    root: Any = Resource()
    root.putChild(b"chat", ChatResource(chat))
    port: Any = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Site(root))
    try:
        yield f"http://127.0.0.1:{port.getHost().port}/chat"
    finally:
        await port.stopListening()


async def post(url, path, headers=None, **body) -> Any:
    response: Any = await begun(treq.post(url + path, json=body, headers=headers, persistent=False))
    content: Any = await begun(response.content())
    return response, content


async def poll(url, path, headers) -> Any:
    response: Any = await begun(treq.get(url + path, headers=headers, persistent=False))
    page: Any = await begun(response.json())
    return page


async def connected(url):
    response, _ = await post(url, "/connect")
    return {"Authorization": response.headers.getRawHeaders("Authorization")[0]}


async def test_the_chat_stops_and_starts_while_the_site_goes_on(tmp_path):
    """What waits gets its response, a stream ends, others get 503; later all is there again."""
    chat = Chat(SQLiteStore(tmp_path / "chat", reactor), reactor)
    async with serving(chat) as url:
        response, _ = await post(url, "/connect")
        assert response.code == 503
        await chat.startService()
        me = await connected(url)
        waiting = begun(poll(url, "/status?wait=60", me))
        stream: Any = await begun(treq.get(f"{url}/events", headers=me, persistent=False))
        followed: Any = begun(anext(chat.follow(await chat.join("bob"))))
        await until(lambda: len(core_of(chat).live.followers) == 3)
        await chat.stopService()
        assert (await waiting.addTimeout(60, reactor))["messages"] == []
        assert (await begun(stream.content()).addTimeout(60, reactor)).startswith(b"retry: ")
        followed.addErrback(lambda failure: failure.type.__name__)
        assert await followed == "StoreUnavailable"
        for path in ("/status?wait=60", "/events", "/users"):
            response = await begun(treq.get(url + path, headers=me, persistent=False))
            assert response.code == 503
            await begun(response.content())
        await chat.startService()
        response, _ = await post(url, "/send", me, text="again")
        assert response.code == 200
        assert len((await poll(url, "/status", me))["messages"]) == 1
        await chat.stopService()
