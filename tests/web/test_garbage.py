"""What requests leave behind: nothing that only the garbage collector would find.

It has to look at all that lives, and everybody waits meanwhile.
"""

from __future__ import annotations

import gc
import socket
from typing import Any

from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from chatter.chat import Chat
from chatter.stores.sqlite.store import SQLiteStore
from chatter.web.root import ChatResource
from chatter.web.site import ChatSite


def unreachable_after(requests, sock):
    """How many objects are left in circles by what is asked many times."""

    def ask():
        for request in requests:
            sock.sendall(request)
            assert sock.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")

    for _ in range(5):
        ask()
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            ask()
        return gc.collect()
    finally:
        gc.enable()


async def test_requests_leave_no_circles(tmp_path):
    """Neither a send, which waits for its commit, nor a poll, over a real socket."""
    store = SQLiteStore(tmp_path / "chat", reactor)
    await store.startService()
    chat = Chat(store, reactor)
    site: Any = ChatSite(ChatResource(chat), reactor)
    port: Any = reactor.listenTCP(0, site, interface="127.0.0.1")
    site.sockets.take_over(port)
    _, token = await chat.connect("alice")
    head = f"HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    body = '{"text": "Hello."}'
    send = f"POST /send {head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
    poll = f"GET /status {head}\r\n".encode()
    with socket.create_connection(("127.0.0.1", port.getHost().port), timeout=10) as sock:
        assert await deferToThread(unreachable_after, [send, poll], sock) == 0
    await port.stopListening()
    await site.drain()
    await store.stopService()
