"""A chat whose time is in your hands, and a client of it without a network: for your own tests."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatter.testing import memory_chat, memory_client


async def talk(clock: Clock) -> None:
    """See alice come and go."""
    chat = memory_chat(clock)
    alice, bob = memory_client(chat), memory_client(chat)
    await alice.connect("alice")
    await bob.connect("bob")
    await alice.send("I am off.")
    async for message in bob.unread():
        print(f"{message.sent_at:%H:%M}", message.text)
    clock.advance(3600)
    for user in (await bob.users()).users:
        print(user.name, "is here." if user.online else f"left at {user.last_seen:%H:%M}.")


def main() -> None:
    """Talk for an hour, at once."""
    clock = Clock()
    clock.advance(12 * 3600)
    talked: Deferred[Any] = Deferred.fromCoroutine(talk(clock))
    talked.addErrback(print)
    assert talked.called, "It did not wait for a real clock."


if __name__ == "__main__":
    main()
