"""A chat on a real port, as ``twistd`` serves it, and what is asked over one connection."""

from __future__ import annotations

import json
import socket
from contextlib import asynccontextmanager
from typing import Any

from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from chatter.chat import Chat
from chatter.stores.sqlite.store import SQLiteStore
from chatter.web.root import ChatResource
from chatter.web.site import ChatSite


def calling(method, path, token, body=None):
    """A request."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


class Connection:
    """One connection; each response to what it requests comes in one piece."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)

    def call_now(self, request):
        """Ask in the thread that calls this, which must not be the reactor's."""
        self._socket.sendall(request)
        head, _, body = self._socket.recv(65536).partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]), json.loads(body)

    async def begin(self, *request):
        """Ask for a response that goes on; fires when its head is there."""
        await deferToThread(self._begin_now, calling(*request))

    def _begin_now(self, request):
        self._socket.sendall(request)
        assert b" 200 " in self._socket.recv(65536).partition(b"\r\n")[0]

    async def call(self, *request):
        """The status and the JSON of a response."""
        return await deferToThread(self.call_now, calling(*request))

    def close(self):
        self._socket.close()


@asynccontextmanager
async def served(resource):
    """A port at which a resource is served."""
    site: Any = ChatSite(resource, reactor)
    port: Any = reactor.listenTCP(0, site, interface="127.0.0.1")
    site.sockets.take_over(port)
    try:
        yield port.getHost().port
    finally:
        await port.stopListening()
        await site.drain()


@asynccontextmanager
async def one_connection(path, *, wrap=lambda resource: resource, **options):
    """A chat in a new SQLite file, and a connection to it.

    :param wrap: makes the root of the site of the chat's resource.
    :param options: those of the resource.
    """
    store = SQLiteStore(path / "chat", reactor)
    await store.startService()
    chat = Chat(store, reactor)
    try:
        async with served(wrap(ChatResource(chat, **options))) as port:
            connection = Connection(port)
            try:
                yield chat, connection
            finally:
                connection.close()
    finally:
        await store.stopService()
