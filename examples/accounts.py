"""An application whose accounts are the users of the chat; they need no other token.

Run it, and say something:
curl -H "X-Key: alice's key" http://127.0.0.1:8080/send -d '{"text": "Hello"}'
"""

import sys
from hashlib import sha256
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.task import react
from twisted.web.server import Request

from chatter import Chat
from chatter.protocol.model import User
from chatter.stores.memory import MemoryStore
from chatter.web import ChatResource
from chatter.web.site import ChatSite

# Keys are found by their hash: how long that takes tells nothing about them.
ACCOUNTS = {sha256(f"{name}'s key".encode()).digest(): name for name in ("alice", "bob")}


async def main(reactor: Any, port: str = "tcp:8080:interface=127.0.0.1") -> None:
    """Serve until the process is ended."""

    async def authenticate(request: Request) -> User | None:
        name = ACCOUNTS.get(sha256(request.getHeader(b"X-Key") or b"").digest())
        return None if name is None else await chat.join(name)

    chat = Chat(MemoryStore(), reactor)
    await chat.startService()
    site = ChatSite(ChatResource(chat, authenticate), reactor)
    await serverFromString(reactor, port).listen(site)
    print("listening", flush=True)
    await Deferred()


if __name__ == "__main__":
    react(main, sys.argv[1:])
