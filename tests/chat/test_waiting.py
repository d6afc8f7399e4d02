"""The long poll and ``chat.follow``: a poll that waits, and polls that don't end."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from chatter.chat.chat import Chat, core_of
from chatter.protocol.errors import StoreUnavailable
from chatter.stores.memory import MemoryStore
from chatter.testing.waiting import begun
from tests.results import result_of


def begin(coroutine):
    results: list[Any] = []
    waiting: Deferred[Any] = begun(coroutine)
    waiting.addBoth(results.append)
    return waiting, results


def test_a_waiting_poll_ends_with_the_next_message(chat, clock):
    """A poll that waits ends in the turn after a message was committed."""
    alice, _ = result_of(chat.connect("alice"))
    _, pages = begin(chat.poll(alice, wait=60))
    clock.advance(10)
    assert not pages
    sent = result_of(chat.send(alice, "hi"))
    clock.advance(0)
    assert pages[0].messages == [sent]
    assert not clock.getDelayedCalls()


def test_nothing_waits_once_the_chat_stops(clock):
    """A poll that came just before the stop, and has read only now, ends at once."""
    chat = Chat(MemoryStore(), clock)
    chat.startService()
    alice, _ = result_of(chat.connect("alice"))
    live = core_of(chat).live
    live.stop()
    assert result_of(chat.poll(alice, wait=60)).messages == []
    assert not clock.getDelayedCalls()
    result_of(chat.stopService())
    result_of(chat.startService())
    _, pages = begin(chat.poll(alice, wait=60))
    assert not pages
    result_of(chat.stopService())
    assert pages[0].messages == []


def test_a_waiting_poll_ends_empty_when_its_time_is_over(chat, clock):
    """If nothing comes, the response is empty when the time is over."""
    alice, _ = result_of(chat.connect("alice"))
    _, pages = begin(chat.poll(alice, wait=60))
    clock.advance(59)
    assert not pages
    clock.advance(1)
    assert pages[0].messages == []
    assert not clock.getDelayedCalls()


def test_others_private_messages_do_not_end_the_wait(chat, clock):
    """A poll waits on while only others talk in private."""
    users = [result_of(chat.connect(name))[0] for name in ("alice", "bob", "carol")]
    alice, bob, carol = users
    _, pages = begin(chat.poll(carol, wait=60))
    result_of(chat.send_private(alice, bob.id, "psst"))
    clock.advance(1)
    assert not pages
    result_of(chat.send_private(alice, carol.id, "and you"))
    clock.advance(0)
    assert [message.text for message in pages[0].messages] == ["and you"]


def test_who_waits_is_online_until_gone(chat, clock):
    """A user is online while a poll waits, and a poll that is given up is forgotten."""
    alice, _ = result_of(chat.connect("alice"))
    waiting, results = begin(chat.poll(alice, wait=600))
    clock.advance(500)
    assert result_of(chat.users()).users[0].online
    waiting.cancel()
    assert results[0].check(CancelledError)
    assert not clock.getDelayedCalls()
    assert len(core_of(chat).live.followers) == 0
    clock.advance(61)
    assert not result_of(chat.users()).users[0].online


def test_a_stopping_chat_lets_nobody_wait(chat, clock):
    """Who waits when the chat stops waits no longer."""
    alice, _ = result_of(chat.connect("alice"))
    _, pages = begin(chat.poll(alice, wait=60))
    core_of(chat).live.stop()
    assert pages[0].messages == []
    assert not clock.getDelayedCalls()


def test_follow_goes_on_from_the_cursor_and_never_ends(chat, clock):
    """``chat.follow`` has what is unread, then what is sent, and reads as it goes."""
    alice, _ = result_of(chat.connect("alice"))
    for text in "ab":
        result_of(chat.send(alice, text))
    followed = chat.follow(alice)
    seen = [result_of(followed.__anext__()).text for _ in range(2)]
    assert seen == ["a", "b"]
    assert result_of(chat.cursor(alice)) == 1, "the last one is not read before the next"
    _, results = begin(followed.__anext__())
    assert result_of(chat.cursor(alice)) == 2
    assert not results
    result_of(chat.send(alice, "c"))
    clock.advance(0)
    assert results[0].text == "c"
    result_of(followed.aclose())
    assert not clock.getDelayedCalls()


def test_follow_ends_with_the_chat(chat, clock):
    """Who follows when the chat stops is told so, and no timer is left."""
    alice, _ = result_of(chat.connect("alice"))
    _, results = begin(chat.follow(alice).__anext__())
    core_of(chat).live.stop()
    assert results[0].check(StoreUnavailable)
    assert not clock.getDelayedCalls()
    assert len(core_of(chat).live.followers) == 0


def test_who_follows_is_online(chat, clock):
    """A user whom a coroutine follows is there, and was there until it ended."""
    alice, _ = result_of(chat.connect("alice"))
    waiting, _ = begin(chat.follow(alice).__anext__())
    clock.advance(3000)
    [there] = result_of(chat.users()).users
    assert there.online
    assert there.last_seen == core_of(chat).presence.now()
    waiting.cancel()
    clock.advance(61)
    [gone] = result_of(chat.users()).users
    assert not gone.online
    assert (core_of(chat).presence.now() - gone.last_seen).total_seconds() == 61


def test_a_wait_that_is_closed_is_not_resumed(chat, clock):
    """What it waited for does not fire: that would resume a coroutine while it is being closed."""
    live = core_of(chat).live
    result_of(live.recent())
    waiting = live.wait(1, 0, 60, changes=False)
    fired: list[Any] = []
    waiting.send(None).addBoth(fired.append)
    assert len(live.followers) == 1
    waiting.close()
    assert fired == []
    assert len(live.followers) == 0
    assert clock.getDelayedCalls() == []
