"""An application with accounts of its own, a chat beside its pages, a bot and an audit log.

Run it and ask:  curl -u alice:secret http://127.0.0.1:8080/chat/send -d '{"text": "help"}'
"""

from __future__ import annotations

import sys

from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from chatter.chat import Chat
from chatter.model import Message, User
from chatter.stores import make_store
from chatter.web import ChatResource

ACCOUNTS = {b"alice": b"secret", b"bob": b"hidden"}


class Page(Resource):
    """A page of the application."""

    def render_GET(self, _: Request) -> bytes:
        """Greet."""
        return b"The application; its chat is at /chat.\n"


async def authenticate(request: Request) -> User | None:
    """The user of the chat that an account of the application is."""
    name, password = request.getUser(), request.getPassword()
    if not name or ACCOUNTS.get(name) != password:
        return None
    return await chat.join(name.decode())


async def answer_help(message: Message) -> None:
    """Answer who asks for help, as a bot that takes part in the chat."""
    if message.text == "help":
        bot = await chat.join("helper")
        await chat.send_private(bot, message.sender_id, "Ask in general; somebody will know.")


def audit(message: Message) -> None:
    """Write down that something was said, but not what."""
    print(f"message {message.id} from user {message.sender_id}", flush=True)


store = make_store("memory:", reactor)
chat = Chat(store, reactor)
chat.add_listener(answer_help)
chat.add_listener(audit)
root = Resource()
root.putChild(b"", Page())
root.putChild(b"chat", ChatResource(chat, authenticate))

if __name__ == "__main__":
    port = sys.argv[1] if len(sys.argv) > 1 else "tcp:8080:interface=127.0.0.1"
    store.startService()
    serverFromString(reactor, port).listen(Site(root))
    reactor.addSystemEventTrigger("before", "shutdown", store.stopService)
    print("listening", flush=True)
    reactor.run()
