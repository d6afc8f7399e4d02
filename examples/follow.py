"""A program that follows a chat and replies: ``python follow.py http://127.0.0.1:8000``.

It goes on through restarts of the server; nothing is missed and nothing is replied to twice.
"""

import sys
from contextlib import aclosing
from typing import Any

from twisted.internet.task import react

from chatter.client import DEFAULT_URL, ChatClient


async def main(reactor: Any, url: str = DEFAULT_URL) -> None:
    """Repeat in private what is said to everybody, until somebody says goodbye."""
    async with ChatClient.for_url(reactor, url) as client, aclosing(client.follow()) as messages:
        me = await client.connect()
        print(f"{me.name} listens", flush=True)
        async for message in messages:
            if message.recipient_id is None and message.sender_id != me.user_id:
                # The key follows from the message: there is one reply, however often this runs.
                await client.send_private(message.sender_id, message.text, key=f"re-{message.id}")
                if message.text == "goodbye":
                    break
        await client.acknowledge()


if __name__ == "__main__":
    react(main, sys.argv[1:])
