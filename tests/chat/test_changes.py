"""Changes of messages reach those who have read them, and leave no text behind."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import UNSET
from twisted.internet.task import Clock

from chatter.chat.chat import core_of
from chatter.log.entries import MessageChange
from chatter.log.recent import RecentLog
from chatter.protocol.errors import Gone, InvalidRequest
from chatter.protocol.model import Edited, Message, Withdrawn
from chatter.testing import memory_chat
from chatter.testing.waiting import begun
from chatter.web.event_streams.streams import Streams
from tests.results import result_of
from tests.web.stream_reader import Reader


@pytest.fixture
def alice(chat):
    return result_of(chat.join("alice"))


@pytest.fixture
def bob(chat):
    return result_of(chat.join("bob"))


def test_listeners_hear_of_changes_in_order(chat, alice):
    """Those of changes among the messages, and those of messages of messages only."""
    heard: list[Any] = []
    messages: list[Any] = []
    chat.add_listener(heard.append)
    chat.add_listener(messages.append)
    chat.add_change_listener(heard.append)
    one = result_of(chat.send(alice, "one"))
    edited = result_of(chat.edit(alice, one.id, "new"))
    two = result_of(chat.send(alice, "two"))
    result_of(chat.withdraw(alice, one.id))
    assert heard == [
        one,
        Edited(2, 1, "new", edited.edited_at),
        two,
        Withdrawn(4, 1, edited.edited_at, alice.id),
    ]
    assert messages == [one, two]
    chat.remove_change_listener(heard.append)
    result_of(chat.withdraw(alice, two.id))
    assert len(heard) == 4


def test_who_follows_entries_has_changes(chat, clock, alice, bob):
    """They come in id order with the messages; who follows messages gets none."""
    entries, messages = chat.follow_entries(bob), chat.follow(bob)
    one = result_of(chat.send(alice, "one"))
    assert result_of(anext(entries)) == result_of(anext(messages)) == one
    edited = result_of(chat.edit(alice, one.id, "new"))
    assert result_of(anext(entries)) == Edited(2, 1, "new", edited.edited_at)
    waiting = begun(anext(messages))
    clock.advance(0)
    assert not waiting.called
    result_of(chat.withdraw(alice, one.id))
    two = result_of(chat.send(alice, "two"))
    assert result_of(anext(entries)) == Withdrawn(3, 1, edited.edited_at, alice.id)
    assert result_of(anext(entries)) == two
    clock.advance(0)
    assert result_of(waiting) == two


def test_a_page_has_changes_for_who_asks(chat, alice):
    """They count for the limit."""
    one, two = (result_of(chat.send(alice, text)) for text in ("one", "two"))
    result_of(chat.edit(alice, one.id, "new"))
    page = result_of(chat.poll(alice, 2, 1, changes=True))
    assert (page.messages, [change.id for change in page.changes]) == ([two], [3])
    page = result_of(chat.peek(alice, 1, 1, changes=True))
    assert (page.messages, page.changes, page.cursor, page.more) == ([two], UNSET, 2, True)


def test_what_is_given_is_checked(chat, alice, bob):
    """Ids and texts are, and whose message it is."""
    sent = result_of(chat.send(alice, "one"))
    for call in (
        lambda: chat.edit(alice, 0, "a"),
        lambda: chat.edit(alice, sent.id, " "),
        lambda: chat.withdraw(alice, 2**63),
    ):
        with pytest.raises(InvalidRequest):
            result_of(call())
    for call in (lambda: chat.edit(bob, sent.id, "a"), lambda: chat.withdraw(bob, sent.id)):
        with pytest.raises(Gone):
            result_of(call())


def test_no_withdrawn_text_is_kept_in_memory(chat, clock, alice, bob):
    """Neither for readers, nor for streams that are stalled, nor for those that come later."""
    streams = Streams(core_of(chat))
    readers = [Reader(streams, bob, 0, changes=changes) for changes in (False, True)]
    stalled = Reader(streams, bob, 0)
    stalled.stall()
    sent = [result_of(chat.send(alice, f"secret {number}")) for number in range(3)]
    sent.append(result_of(chat.send_private(alice, bob.id, "secret")))
    clock.advance(0)
    kept = [streams.feed, streams.feed_with_changes, core_of(chat).live.newest_stretch]
    assert all("secret" in _held(part) for part in kept)
    result_of(chat.edit(alice, sent[0].id, "public"))
    for message in sent[1:]:
        result_of(chat.withdraw(alice, message.id))
    assert not any("secret" in _held(part) for part in kept)
    stalled.go_on()
    assert [message.text for message in stalled.received] == ["public"]
    for reader in (*readers, stalled):
        reader.break_off()


def _held(part):
    if isinstance(part, RecentLog):
        logs = (part._older, part._younger)
        return repr([(log._general, log._mailboxes, log._private) for log in logs])
    return repr([list(part._events.values()), part._general])


@pytest.mark.parametrize("changes", [False, True])
def test_what_was_read_before_a_change_is_not_kept(chat, clock, alice, bob, changes):
    """A backlog that was read from the store a moment too early is for one stream only."""
    sent = result_of(chat.send(alice, "secret"))
    core_of(chat).live.newest_stretch = RecentLog(1)
    streams = Streams(core_of(chat))
    reader = Reader(streams, bob, 1, changes=changes)
    feed = streams.feed_with_changes if changes else streams.feed
    before = feed.recent.last_change_id
    result_of(chat.withdraw(alice, sent.id))
    chunk, _ = feed.chunk([sent], 1, before)
    assert b"secret" in chunk
    assert not feed._events
    feed.chunk([sent], 1, feed.recent.last_change_id)
    assert feed._events
    reader.break_off()


def test_changes_alone_send_nothing_to_streams_without_them(chat, clock, alice, bob):
    """Not even an empty write, which would cost a system call for each of thousands."""
    sent = result_of(chat.send(alice, "one"))
    streams = Streams(core_of(chat))
    reader = Reader(streams, bob, 1)
    writes = reader.writes
    for text in ("two", "three"):
        result_of(chat.edit(alice, sent.id, text))
        clock.advance(0)
    assert reader.writes == writes
    result_of(chat.send(alice, "four"))
    clock.advance(0)
    assert [message.text for message in reader.received] == ["four"]
    reader.break_off()


def test_a_recent_log_applies_changes_wherever_the_message_is():
    """In the older half or the younger one, or not here any more."""
    clock = Clock()
    now = memory_chat(clock)
    at = core_of(now).presence.now()
    recent = RecentLog(0, capacity=1)
    for number in (1, 2, 3):
        recent.extend([Message(number, 1, 2, f"text {number}", at)])
    for number in (1, 2, 3):
        change = MessageChange(number + 3, 1, 2, number, f"new {number}", 1, at)
        recent.extend([change])
    recent.extend([MessageChange(7, 1, 2, 3, None, 1, at)])
    after = recent.complete_after
    found = recent.feed(2, after, 10)
    assert [entry.id for entry in found] == [i for i in (1, 2, 4, 5, 7) if i > after]
    assert "text" not in "".join(entry.text or "" for entry in found)
    assert recent.has_private(1, after)


def test_a_reader_who_wants_no_changes_moves_on_over_all_of_them(chat, alice):
    """Also if they are as many as it would have messages."""
    for text in ("one", "two"):
        result_of(chat.withdraw(alice, result_of(chat.send(alice, text)).id))
    for limit in (1, 2, 3):
        assert result_of(chat.peek(alice, limit, after=0)).cursor == 4
