"""An application's own listeners hear each committed message."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatter.testing import memory_chat
from tests.results import result_of


def test_all_hear_everything_in_id_order_also_what_a_listener_sends():
    """A bot that replies at once does not turn the order around for those after it."""
    chat = memory_chat(Clock())
    bot = result_of(chat.join("bot"))
    heard: list[Any] = []

    async def response(message):
        if message.sender_id != bot.id:
            await chat.send(bot, "reply")

    chat.add_listener(response)
    chat.add_listener(lambda message: heard.append(message.id))
    alice = result_of(chat.join("alice"))
    for _ in range(2):
        result_of(chat.send(alice, "question"))
    assert heard == [1, 2, 3, 4]


def test_one_that_fails_or_waits_does_not_hold_up_the_others(caplog):
    """What a listener raises is logged, what it awaits is awaited apart."""
    chat = memory_chat(Clock())
    heard: list[Any] = []

    def fail(message):
        raise RuntimeError("broken")

    async def wait(message):
        await Deferred()

    for listener in (fail, wait, heard.append):
        chat.add_listener(listener)
    alice = result_of(chat.join("alice"))
    sent = [result_of(chat.send(alice, text)) for text in "ab"]
    assert heard == sent


def test_one_that_was_removed_hears_nothing():
    """After ``remove_listener`` it is not called any more."""
    chat = memory_chat(Clock())
    heard: list[Any] = []
    chat.add_listener(heard.append)
    chat.remove_listener(heard.append)
    result_of(chat.send(result_of(chat.join("alice")), "a"))
    assert heard == []
