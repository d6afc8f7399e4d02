"""Tests of an application that embeds a chat:  trial trial_test.py

The chat is in memory, time is in the test's hands, and no socket is opened.
"""

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from chatter import Chat, Message
from chatter.testing import memory_chat, memory_client


def welcome(chat: Chat) -> None:
    """Reply to every hello: this is the application."""

    def reply(message: Message) -> Any:
        if message.text == "hello":
            return chat.join("host").addCallback(
                lambda host: chat.send_private(host, message.sender_id, "Welcome!")
            )
        return None

    chat.add_listener(reply)


class WelcomeTests(SynchronousTestCase):
    def test_who_says_hello_is_welcomed_in_private(self) -> None:
        chat = memory_chat(Clock())
        welcome(chat)
        alice = memory_client(chat)
        self.successResultOf(alice.connect("alice"))
        self.successResultOf(alice.send("hello"))
        user = self.successResultOf(chat.join("alice"))
        page = self.successResultOf(chat.peek(user))
        self.assertEqual([message.text for message in page.messages], ["hello", "Welcome!"])
