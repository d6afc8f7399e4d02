"""The public methods of a chat check what they are given, and say what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.task import Clock

from chatter.chat.chat import Chat, core_of
from chatter.protocol.errors import InvalidRequest, Unauthorized
from chatter.stores.memory import MemoryStore
from chatter.testing import memory_chat
from tests.results import result_of

NO_IDS: list[Any] = [0, -1, 2**63, 1.5, "1", True, None]
NO_CURSORS: list[Any] = [-1, 2**63, 1.5, "1", True]
NO_LIMITS: list[Any] = [0, -1, 1001, 2.0, "1", True, None]
NO_TEXTS: list[Any] = ["", " ", "a" * 4097, "\ud800", b"a", 1, None]
NO_WAITS: list[Any] = [-1, float("nan"), float("inf"), "1", None]


@pytest.fixture
def alice(chat):
    return result_of(chat.join("alice"))


CALLS = {
    "user": (lambda chat, _, bad: chat.user(bad), "user_id", NO_IDS),
    "users after": (lambda chat, _, bad: chat.users(after=bad), "after", NO_CURSORS),
    "users limit": (lambda chat, _, bad: chat.users(limit=bad), "limit", NO_LIMITS),
    "users_by_id": (lambda chat, _, bad: chat.users_by_id([1, bad]), "user_id", NO_IDS),
    "prefix": (lambda chat, _, bad: chat.users_by_prefix("a", bad), "limit", NO_LIMITS),
    "online": (lambda chat, _, bad: chat.online_users(limit=bad), "limit", NO_LIMITS),
    "to": (lambda chat, user, bad: chat.send_private(user, bad, "a"), "recipient_id", NO_IDS),
    "send": (lambda chat, user, bad: chat.send(user, bad), "text", NO_TEXTS),
    "send_private": (lambda chat, user, bad: chat.send_private(user, 1, bad), "text", NO_TEXTS),
    "edit": (lambda chat, user, bad: chat.edit(user, 1, bad), "text", NO_TEXTS),
    "poll limit": (lambda chat, user, bad: chat.poll(user, bad), "limit", NO_LIMITS),
    "poll after": (lambda chat, user, bad: chat.poll(user, after=bad), "after", NO_CURSORS),
    "poll wait": (lambda chat, user, bad: chat.poll(user, wait=bad), "wait", NO_WAITS),
    "peek limit": (lambda chat, user, bad: chat.peek(user, bad), "limit", NO_LIMITS),
    "peek after": (lambda chat, user, bad: chat.peek(user, after=bad), "after", NO_CURSORS),
    "general": (lambda chat, user, bad: chat.general_history(user, bad), "limit", NO_LIMITS),
    "before": (
        lambda chat, user, bad: chat.general_history(user, 1, bad),
        "before",
        NO_IDS[:-1],
    ),
    "private": (lambda chat, user, bad: chat.private_history(user, bad, 1), "other_id", NO_IDS),
    "chats": (lambda chat, user, bad: chat.chats(user, limit=bad), "limit", [*NO_LIMITS, 101]),
    "mark_read": (lambda chat, user, bad: chat.mark_read(user, None, bad), "message_id", NO_IDS),
    "mark_read of": (
        lambda chat, user, bad: chat.mark_read(user, bad, 1),
        "other_id",
        NO_IDS[:-1],
    ),
}


@pytest.mark.parametrize(
    ("call", "bad"), [(call, bad) for call, (_, _, values) in CALLS.items() for bad in values]
)
def test_what_is_not_valid(chat, alice, call, bad):
    """The error says which argument is wrong, and what is expected."""
    make, name, _ = CALLS[call]
    with pytest.raises(InvalidRequest, match=rf"^{name} .*\. Expected: .*") as caught:
        result_of(make(chat, alice, bad))
    assert "`" not in caught.value.detail


@pytest.mark.parametrize("bad", ["", "a" * 33, b"a", 1])
def test_what_is_no_name(chat, bad):
    """A new user and one of an account have the same names."""
    for call in (chat.join, chat.connect):
        with pytest.raises(InvalidRequest, match=r"^A name (is a string|has 1 to 32 characters)\."):
            result_of(call(bad))


@pytest.mark.parametrize("bad", NO_CURSORS)
def test_a_cursor_that_is_none(chat, alice, bad):
    """It is refused, and at once where nothing is fired."""
    with pytest.raises(InvalidRequest):
        result_of(chat.acknowledge(alice, bad))
    with pytest.raises(InvalidRequest):
        chat.follow(alice, bad)


def test_nobody_can_have_read_what_is_not_there(chat, alice):
    """An acknowledgement far ahead hides no message that comes."""
    result_of(chat.send(alice, "a"))
    result_of(chat.acknowledge(alice, 1000))
    assert result_of(chat.cursor(alice)) == 1
    result_of(chat.send(alice, "b"))
    assert [message.id for message in result_of(chat.poll(alice)).messages] == [2]


@pytest.mark.parametrize(
    "call",
    [
        lambda chat, user: chat.send(user, "a"),
        lambda chat, user: chat.send_private(user, 1, "a"),
        lambda chat, user: chat.poll(user),
        lambda chat, user: chat.peek(user),
        lambda chat, user: chat.cursor(user),
        lambda chat, user: chat.acknowledge(user, 1),
        lambda chat, user: chat.follow(user).__anext__(),
        lambda chat, user: chat.general_history(user, 1),
        lambda chat, user: chat.private_history(user, 1, 1),
        lambda chat, user: chat.chats(user),
        lambda chat, user: chat.mark_read(user, None, 1),
    ],
)
def test_a_user_of_another_chat(chat, alice, call):
    """Nobody acts as another user, or as none, because a program confused its chats."""
    other = memory_chat(Clock())
    result_of(other.join("bob"))
    carol = result_of(other.join("carol"))
    for stranger in (result_of(other.join("bob")), carol):
        with pytest.raises(Unauthorized):
            result_of(call(chat, stranger))
    assert result_of(core_of(chat).store.last_id()) == 0


@pytest.mark.parametrize("history", [-1, 1001])
def test_a_history_that_is_none(history):
    """It is refused when the chat is made."""
    with pytest.raises(ValueError, match="history is a number from 0 to 1000"):
        Chat(MemoryStore(), Clock(), history=history)


@pytest.mark.parametrize("lifetime", [299, 36_501 * 86_400, 1e300, float("nan")])
def test_tokens_live_for_a_time_that_there_is(lifetime):
    """Not so short that they end while they are used, nor longer than dates go."""
    with pytest.raises(ValueError, match="tokens live for 300 seconds at least"):
        Chat(MemoryStore(), Clock(), token_lifetime=lifetime)
