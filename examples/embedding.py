"""A chat beside an application's own pages, and another one that knows nothing of the first.

Run it, and ask:  curl -X POST http://127.0.0.1:8080/chat/connect
"""

import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.task import react
from twisted.web.resource import Resource
from twisted.web.server import Request

from chatter.chat import Chat
from chatter.httpd import LeanSite
from chatter.stores.registry import make_store
from chatter.web import ChatResource


class Page(Resource):
    """A page of the application."""

    def render_GET(self, _: Request) -> bytes:
        """Say where the chats are."""
        return b"The application; its chats are at /chat and /staff."


async def main(reactor: Any, port: str = "tcp:8080:interface=127.0.0.1") -> None:
    """Serve until the process is ended."""
    root = Resource()
    root.putChild(b"", Page())
    for path in (b"chat", b"staff"):
        store = make_store("memory:", reactor)
        root.putChild(path, ChatResource(Chat(store, reactor)))
        reactor.addSystemEventTrigger("before", "shutdown", store.stopService)
        await store.startService()
    # twisted.web.server.Site does as well, but takes bodies of any size.
    await serverFromString(reactor, port).listen(LeanSite(root, reactor))
    print("listening", flush=True)
    await Deferred()


if __name__ == "__main__":
    react(main, sys.argv[1:])
