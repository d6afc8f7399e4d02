"""Event streams: limits, heartbeat, presence, and reading back."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from msgspec import json
from twisted.internet.task import deferLater

from chatter.chat.chat import core_of
from chatter.log.recent import RecentLog
from chatter.protocol.errors import StoreUnavailable
from chatter.web.event_streams import feed as event_feed
from chatter.web.event_streams.feed import EventFeed
from chatter.web.event_streams.stream import GIVEN_WAY_RETRY
from chatter.web.event_streams.streams import HEARTBEAT, READERS, STREAMS_PER_USER, Streams
from tests.results import result_of
from tests.web.stream_reader import Reader


@pytest.fixture
def streams(chat):
    return Streams(core_of(chat), 100)


def join(chat, name):
    return result_of(chat.connect(name))[0]


def test_the_backlog_and_what_is_new_join_without_a_gap(chat, clock, streams):
    """A stream begins with what is after its cursor and goes on with what is sent."""
    alice = join(chat, "alice")
    for text in "ab":
        result_of(chat.send(alice, text))
    reader = Reader(streams, alice, 0)
    result_of(chat.send(alice, "c"))
    clock.advance(0)
    assert [message.text for message in reader.received] == ["a", "b", "c"]
    reader.break_off()


def test_messages_of_one_turn_arrive_in_one_write(chat, clock, streams):
    """However many messages a turn of the reactor brings, a listener costs one write."""
    alice = join(chat, "alice")
    reader = Reader(streams, alice, 0)
    before = reader.writes
    for text in "abcdef":
        result_of(chat.send(alice, text))
    clock.advance(0)
    assert len(reader.received) == 6
    assert reader.writes == before + 1
    reader.break_off()


def test_what_lies_far_back_is_read_from_the_store(chat, clock, streams):
    """A stream whose cursor is older than what is kept in memory misses nothing."""
    core_of(chat).live.newest_stretch = RecentLog(0, capacity=1000)
    alice = join(chat, "alice")
    bob = join(chat, "bob")
    for number in range(500):
        if number % 50 == 0:
            result_of(chat.send_private(alice, bob.id, f"private {number}"))
        else:
            result_of(chat.send(alice, f"{number}"))
    recent = core_of(chat).live.newest_stretch
    assert recent is not None
    assert recent.complete_after > 400
    reader = Reader(streams, bob, 0)
    clock.advance(0)
    assert [message.id for message in reader.received] == list(range(1, 501))
    reader.break_off()


def test_a_silent_stream_gets_a_comment(chat, clock, streams):
    """A comment is written after 15 seconds of silence, and not while there is something."""
    alice = join(chat, "alice")
    reader = Reader(streams, alice, 0)
    clock.pump([0.25] * int(HEARTBEAT * 4 - 2))
    assert reader.comments == 0
    clock.pump([0.25] * 4)
    assert reader.comments == 1
    reader.break_off()


def test_a_stalled_stream_gets_nothing_at_all(chat, clock, streams):
    """For a reader who takes nothing, nothing is written, not even a comment."""
    alice = join(chat, "alice")
    reader = Reader(streams, alice, 0)
    reader.stall()
    result_of(chat.send(alice, "a"))
    clock.pump([0.25] * 200)
    assert reader.received == []
    reader.go_on()
    assert [message.text for message in reader.received] == ["a"]
    reader.break_off()


def test_the_oldest_stream_of_a_user_gives_way(chat, clock, streams):
    """The 17th stream of a user ends the oldest, whose client is told to come back late."""
    alice, bob = join(chat, "alice"), join(chat, "bob")
    readers = [Reader(streams, alice, 0) for _ in range(STREAMS_PER_USER)]
    readers.append(Reader(streams, bob, 0))
    assert not any(reader.is_closed for reader in readers)
    readers.append(Reader(streams, alice, 0))
    oldest, *others = readers
    assert oldest.is_closed
    assert oldest.retry == GIVEN_WAY_RETRY
    assert not any(reader.is_closed for reader in others)
    result_of(chat.send(alice, "a"))
    clock.advance(0)
    assert {len(reader.received) for reader in others} == {1}
    assert not oldest.received
    for reader in readers:
        reader.break_off()
    assert not clock.getDelayedCalls()


def test_a_stalled_stream_that_gives_way_is_cut_off(chat, streams):
    """Nothing is written for a reader who takes nothing; the connection is closed."""
    alice = join(chat, "alice")
    readers = [Reader(streams, alice, 0) for _ in range(STREAMS_PER_USER)]
    readers[0].stall()
    readers.append(Reader(streams, alice, 0))
    assert readers[0].is_closed
    assert readers[0].retry != GIVEN_WAY_RETRY
    for reader in readers:
        reader.break_off()


def talkative(chat, count, text):
    """A user who has sent so many messages, of which only the newest 100 are in memory."""
    core_of(chat).live.newest_stretch = RecentLog(0, capacity=100)
    alice = join(chat, "alice")
    for _ in range(count):
        result_of(chat.send(alice, text))
    return alice


def test_a_stream_that_reads_back_gives_way(chat, clock, streams, caplog):
    """It reads no further, and nothing is written to it any more."""
    alice = talkative(chat, 500, "a")
    first = Reader(streams, alice, 0)
    others = [Reader(streams, alice, 500) for _ in range(STREAMS_PER_USER)]
    writes = first.writes
    clock.advance(0)
    assert first.is_closed
    assert first.writes == writes
    assert not caplog.records
    for reader in others:
        reader.break_off()
    assert not clock.getDelayedCalls()


def test_too_many_streams_in_all_are_refused(chat):
    """Beyond the limit in all, everybody gets 503."""
    streams = Streams(core_of(chat), 2)
    alice, bob = join(chat, "alice"), join(chat, "bob")
    readers = [Reader(streams, alice, 0), Reader(streams, bob, 0)]
    with pytest.raises(StoreUnavailable):
        Reader(streams, bob, 0)
    for reader in readers:
        reader.break_off()


def test_a_full_server_lets_a_user_replace_a_stream(chat):
    """What ends another stream adds none."""
    streams = Streams(core_of(chat), STREAMS_PER_USER)
    alice = join(chat, "alice")
    readers = [Reader(streams, alice, 0) for _ in range(STREAMS_PER_USER + 1)]
    assert readers[0].is_closed
    for reader in readers:
        reader.break_off()


def test_the_end_of_a_stream_costs_the_same_however_many_there_are(chat, streams):
    """Nothing that grows with the users is walked through."""
    users = [join(chat, f"user {number}") for number in range(50)]
    readers = [Reader(streams, user, 0) for user in users]
    walks = []

    class Watched(dict[int, Any]):
        def __iter__(self):
            walks.append("iter")
            return super().__iter__()

        def items(self):
            walks.append("items")
            return super().items()

    streams._of_user = Watched(streams._of_user)
    for reader in readers:
        reader.break_off()
    assert not walks
    assert not streams._of_user, "who has no stream is forgotten"


def test_who_has_a_stream_open_is_online(chat, clock, streams):
    """A user is online as long as a stream is open, and for a minute after."""
    alice = join(chat, "alice")

    def online():
        return result_of(chat.users()).users[0].online

    reader = Reader(streams, alice, 0)
    clock.advance(600)
    assert online()
    reader.break_off()
    clock.advance(59)
    assert online()
    clock.advance(2)
    assert not online()


def test_nothing_is_left_when_the_last_stream_has_ended(chat, clock, streams):
    """Streams that are gone leave no timer and nobody to be woken."""
    alice = join(chat, "alice")
    for reader in [Reader(streams, alice, 0) for _ in range(3)]:
        reader.break_off()
    assert not clock.getDelayedCalls()
    assert len(core_of(chat).live.followers) == 0


def test_a_stream_outlasts_a_store_that_is_away(chat, clock, streams):
    """What lies back and can't be read now is read when the store is there again."""
    alice = talkative(chat, 20, "a")
    core_of(chat).store.stopService()
    reads = []
    read_feed = core_of(chat).store.read_feed

    def counted(*asked):
        reads.append(asked)
        return read_feed(*asked)

    core_of(chat).store.read_feed = counted  # type: ignore[method-assign]
    reader = Reader(streams, alice, 0)
    clock.pump([0.25] * int(HEARTBEAT * 4 + 4))
    assert reader.received == []
    assert reader.comments == 1, "nobody on the way takes it for dead"
    assert len(reads) <= HEARTBEAT + 2, "the store is asked once a second at most"
    core_of(chat).store.startService()
    result_of(chat.send(alice, "b"))
    clock.pump([0.25] * 8)
    assert [message.id for message in reader.received] == list(range(1, 22))
    reader.break_off()
    assert not clock.getDelayedCalls()


def test_who_is_held_is_saved_again_and_again(chat, clock, streams):
    """Other servers, and this one after a crash, know who has been there until now."""
    users = [join(chat, f"user {number}") for number in range(40)]
    readers = [Reader(streams, user, 0) for user in users for _ in range(2)]
    clock.pump([1] * 300)

    def saved():
        return [user.last_seen for user in result_of(core_of(chat).store.users(0, 100))]

    assert core_of(chat).presence.now() - min(saved()) <= timedelta(seconds=30)
    saves = []
    core_of(chat).store.save_progress = lambda user_id, *_: saves.append(user_id)  # type: ignore[method-assign]
    clock.pump([1] * 60)
    assert len(saves) <= 60 * 2, "a few at a time"
    assert set(saves) == {user.id for user in users}
    del core_of(chat).store.save_progress
    for reader in readers:
        reader.break_off()
    assert set(saved()) == {core_of(chat).presence.now()}
    assert not clock.getDelayedCalls()


def test_a_cursor_ahead_of_the_log_never_goes_back(chat, clock, streams):
    """Who has read further than this process knows gets nothing twice."""
    alice = join(chat, "alice")
    for text in "abc":
        result_of(chat.send(alice, text))
    reader = Reader(streams, alice, 5)
    for text in "defg":
        result_of(chat.send(alice, text))
        clock.advance(0)
    assert [message.id for message in reader.received] == [6, 7]
    reader.break_off()


def test_however_far_back_it_is_read_step_by_step(chat, clock, streams, monkeypatch):
    """Somebody who is very far behind gets all of it, a chunk in each turn of the reactor."""
    monkeypatch.setattr(EventFeed, "most_entries", 2)
    core_of(chat).live.newest_stretch = RecentLog(0, capacity=1000)
    alice = join(chat, "alice")
    for _ in range(3000):
        result_of(chat.send(alice, "a"))
    reader = Reader(streams, alice, 0)
    turns = []

    def other():
        turns.append(len(reader.received))
        if len(turns) < 3000:
            clock.callLater(0, other)

    clock.callLater(0, other)
    clock.advance(0)
    assert [message.id for message in reader.received] == list(range(1, 3001))
    assert max(later - earlier for earlier, later in itertools.pairwise(turns)) == 2
    reader.break_off()


def test_a_reader_who_is_lost_while_catching_up_leaves_nothing(chat, clock, streams, caplog):
    """Neither a timer nor a line in the log."""
    alice = talkative(chat, 500, "a")
    Reader(streams, alice, 0).break_off()
    assert not clock.getDelayedCalls()
    assert not caplog.records


def test_a_few_streams_at_a_time_read_from_the_store(chat, clock, streams, monkeypatch):
    """The others wait for their turn, and in the end each has all of it."""
    talkative(chat, 600, "a")
    store = core_of(chat).store
    read_feed = store.read_feed
    reading: list[int] = []
    most = []

    async def slow(*asked):
        reading.append(1)
        most.append(len(reading))
        await deferLater(clock, 0.1)
        reading.pop()
        return await read_feed(*asked)

    monkeypatch.setattr(store, "read_feed", slow)
    users = [join(chat, f"user {number}") for number in range(10)]
    readers = [Reader(streams, user, 0) for user in users]
    clock.pump([0.05] * 200)
    assert max(most) == READERS
    for reader in readers:
        assert [message.id for message in reader.received] == list(range(1, 601))
        reader.break_off()


def test_a_reader_that_takes_nothing_holds_up_nobody(chat, clock, streams):
    """It gives its turn back, and reads on later."""
    talkative(chat, 600, "a" * 1000)
    users = [join(chat, f"user {number}") for number in range(READERS + 1)]
    *stalled, last = [Reader(streams, user, 0) for user in users]
    for reader in stalled:
        reader.stall()
    clock.pump([0.05] * 20)
    assert len(last.received) == 600
    for reader in stalled:
        reader.go_on()
    clock.pump([0.05] * 20)
    for reader in [*stalled, last]:
        assert [message.id for message in reader.received] == list(range(1, 601))
        reader.break_off()


def test_a_reader_that_takes_chunk_by_chunk(chat, clock, streams):
    """However often it stops taking while it is read back for, it gets all of it, once."""
    alice = talkative(chat, 300, "a" * 1000)

    class Hesitant(Reader):
        def write(self, data):
            super().write(data)
            if b"data" in data:
                self.stall()

    reader = Hesitant(streams, alice, 0)
    for _ in range(20):
        clock.pump([0, 0])
        reader.go_on()
    assert [message.id for message in reader.received] == list(range(1, 301))
    reader.break_off()


def test_the_events_that_are_kept_are_bounded_by_their_bytes(chat, clock, streams):
    """A text of control characters is six times as long as an event."""
    alice = join(chat, "alice")
    reader = Reader(streams, alice, 0)
    for _ in range(400):
        result_of(chat.send(alice, "\x01" * 4096))
        clock.advance(0)
    assert len(reader.received) == 400
    kept = sum(len(event) for event in streams.feed._events.values())
    assert kept < 5_000_000
    reader.break_off()


def test_each_message_is_serialised_once(chat, clock, streams, monkeypatch):
    """However many listen, and wherever they stand."""
    serialised = []

    def encode(message):
        serialised.append(message.id)
        return json.encode(message)

    monkeypatch.setattr(event_feed, "_encode", encode)
    users = [join(chat, f"user {number}") for number in range(20)]
    readers = [Reader(streams, user, 0) for user in users]
    for reader in readers[:10]:
        reader.stall()
    for text in "abc":
        result_of(chat.send(users[0], text))
        clock.advance(0)
    for reader in readers[:10]:
        reader.go_on()
    assert serialised == [1, 2, 3]
    assert {len(reader.received) for reader in readers} == {3}
    for reader in readers:
        reader.break_off()


def test_readers_who_all_stand_elsewhere_do_not_fill_the_memory(chat, clock, streams):
    """What is put together for one position is not kept for each of very many."""
    alice = join(chat, "alice")
    for _ in range(300):
        result_of(chat.send(alice, "a" * 1000))
    for cursor in range(300):
        reader = Reader(streams, alice, cursor)
        clock.advance(0)
        assert len(reader.received) == 300 - cursor
        reader.break_off()
        # So that what is kept is kept: with the last stream it would go.
        if cursor == 0:
            last = Reader(streams, alice, 300)
    kept = sum(len(chunk) for chunk, _ in streams.feed._general.values())
    assert kept < 2 * 1024 * 1024
    last.break_off()


def test_who_has_left_was_last_seen_then(chat, clock, streams):
    """The end of a stream is a sign of life that outlasts the process."""
    alice = join(chat, "alice")
    reader = Reader(streams, alice, 0)
    clock.advance(36_000)
    reader.break_off()
    [saved] = result_of(core_of(chat).store.users(0, 1))
    assert saved.last_seen == core_of(chat).presence.now()
