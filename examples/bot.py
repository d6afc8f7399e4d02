"""Listeners of a chat: a bot that takes part, and a log of who said something, but not what."""

import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.task import react

from chatter import Chat
from chatter.protocol.model import Message
from chatter.stores.memory import MemoryStore
from chatter.web import ChatResource
from chatter.web.site import ChatSite


async def main(reactor: Any, port: str = "tcp:8080:interface=127.0.0.1") -> None:
    """Serve until the process is ended."""
    chat = Chat(MemoryStore(), reactor)
    await chat.startService()
    bot = await chat.join("helper")

    async def answer(message: Message) -> None:
        if message.text == "help":
            await chat.send_private(bot, message.sender_id, "Ask here; somebody will know.")

    def write_down(message: Message) -> None:
        print(f"message {message.id} from user {message.sender_id}", flush=True)

    chat.add_listener(answer)
    chat.add_listener(write_down)
    await serverFromString(reactor, port).listen(ChatSite(ChatResource(chat), reactor))
    print("listening", flush=True)
    await Deferred()


if __name__ == "__main__":
    react(main, sys.argv[1:])
