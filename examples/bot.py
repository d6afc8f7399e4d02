"""Listeners of a chat: a bot that takes part, and a log of who sent something, but not what."""

import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from chatter import ChatService, Message


async def main(reactor: Any, port: str = "tcp:8080:interface=127.0.0.1") -> None:
    """Serve until the process is ended."""
    service = ChatService.for_store(reactor, "memory:", port)
    await service.startService()
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    chat = service.chat
    bot = await chat.join("helper")

    async def reply(message: Message) -> None:
        # It hears its own messages, too.
        if message.sender_id != bot.id and "help" in message.text:
            await chat.send_private(bot, message.sender_id, "Ask here.")

    def write_down(message: Message) -> None:
        print(f"message {message.id} from user {message.sender_id}", flush=True)

    chat.add_listener(reply)
    chat.add_listener(write_down)
    print("listening", flush=True)
    await Deferred()


if __name__ == "__main__":
    react(main, sys.argv[1:])
