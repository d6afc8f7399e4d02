"""Two chats beside an application's own pages; neither knows of the other."""

import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.task import react
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from chatter import Chat, ChatResource, make_store


class Page(Resource):
    """A page of the application."""

    def render_GET(self, _: Request) -> bytes:
        """Say where the chats are."""
        return b"The application; its chats are at /chat and /staff."


async def main(reactor: Any, port: str = "tcp:8080:interface=127.0.0.1") -> None:
    """Serve until the process is ended."""
    root: Any = Resource()
    root.putChild(b"", Page())
    for path in (b"chat", b"staff"):
        chat = Chat(make_store("memory:", reactor), reactor)
        root.putChild(path, ChatResource(chat))
        await chat.startService()
        reactor.addSystemEventTrigger("before", "shutdown", chat.stopService)
    # chatter.httpd.LeanSite in place of Site is faster, and bounds what a client may send.
    await serverFromString(reactor, port).listen(Site(root))
    await Deferred()


react(main, sys.argv[1:])
