"""What a chat keeps: no longer than for some time, and no more than some messages."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent

from chatter.chat import Chat
from chatter.chat.messages import clock_doubt
from chatter.chat.messages import retention as retention_of
from chatter.chat.messages.retention import Retention, parse_age
from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.model import Draft, Gap, Message
from chatter.stores.memory import MemoryStore
from chatter.testing.waiting import begun
from tests.results import result_of

HOUR = 3600


class Kept:
    """A chat that keeps as much as a test says, and somebody in it."""

    def __init__(self, **kept):
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.store = MemoryStore()
        self.chat = Chat(self.store, self.clock, **kept)
        result_of(self.chat.startService())
        self.alice = result_of(self.chat.join("alice"))

    def say(self, number=1):
        for _ in range(number):
            last = result_of(self.chat.send(self.alice, "hi"))
        return last.id

    def pass_time(self, seconds):
        """Let time pass, and all that is then due be done."""
        self.clock.advance(seconds)
        for _ in range(200):
            self.clock.advance(0)

    @property
    def ids(self):
        return [m.id for m in result_of(self.chat.general_history(self.alice, 1000)).messages]


@pytest.fixture
def keep():
    """Makes chats, which leave nothing behind when they are stopped."""
    made = []

    def keep(**kept):
        made.append(Kept(**kept))
        return made[-1]

    yield keep
    for each in made:
        result_of(each.chat.stopService())
        assert each.clock.getDelayedCalls() == []


def test_what_is_too_old_goes(keep):
    """It goes within a minute after its time, and what is younger stays."""
    kept = keep(keep=timedelta(hours=2))
    old = kept.say(2)
    kept.pass_time(HOUR)
    new = kept.say()
    kept.pass_time(HOUR - 60)
    assert kept.ids == [1, old, new]
    kept.pass_time(121)
    assert kept.ids == [new]
    assert kept.store.kept_after == old
    kept.pass_time(HOUR)
    assert kept.ids == []
    assert kept.say() == new + 1


def test_without_a_limit_all_is_kept(keep):
    """Nobody looks then."""
    kept = keep()
    kept.say(2)
    kept.pass_time(10 * 365 * 86_400)
    assert kept.ids == [1, 2]


def test_so_many_of_the_newest_messages_stay(keep):
    """But within an hour none goes: a client may still repeat what it has sent."""
    kept = keep(keep_messages=3)
    kept.say(10)
    kept.pass_time(HOUR - 61)
    assert len(kept.ids) == 10
    kept.pass_time(122)
    assert kept.ids == [8, 9, 10]
    kept.say(2)
    kept.pass_time(60)
    assert kept.ids == [10, 11, 12]
    kept.say(2)
    kept.pass_time(HOUR - 120)
    assert kept.ids == [11, 12, 13, 14]


def test_both_limits_hold(keep):
    """Whichever comes first."""
    kept = keep(keep=timedelta(hours=5), keep_messages=3)
    kept.say(5)
    kept.pass_time(2 * HOUR)
    assert kept.ids == [3, 4, 5]
    kept.say()
    kept.pass_time(3 * HOUR + 60)
    assert kept.ids == [6]


@pytest.mark.parametrize("at_once", [1, 2, 3, 1000])
@pytest.mark.parametrize("number", [1, 4, 7, 31])
def test_what_was_withdrawn_and_changes_do_not_count(keep, monkeypatch, at_once, number):
    """So many messages stay, however many entries lie between, and however it is counted."""
    monkeypatch.setattr(retention_of, "AT_ONCE", at_once)
    monkeypatch.setattr(retention_of, "COUNTED_AT_ONCE", at_once)
    kept = keep(keep_messages=number)
    for step in range(40):
        last = kept.say()
        if step % 3 == 0:
            result_of(kept.chat.withdraw(kept.alice, last))
        elif step % 3 == 1:
            result_of(kept.chat.edit(kept.alice, last, "new"))
    before = kept.ids
    kept.pass_time(HOUR + 60)
    assert kept.ids == before[-number:]


def test_messages_are_not_counted_every_minute(keep):
    """Only when the log has grown by a sixteenth of what is kept."""
    kept = keep(keep_messages=160)
    counted = []
    count = kept.store.count_messages

    def count_messages(after, until):
        counted.append(until)
        return count(after, until)

    kept.store.count_messages = count_messages
    kept.say(160)
    for _ in range(5):
        kept.pass_time(60)
    assert set(counted) == {160}
    kept.say(10)
    kept.pass_time(HOUR)
    assert (set(counted), len(kept.ids)) == ({160}, 170)
    kept.say()
    kept.pass_time(60)
    assert 171 in counted
    kept.pass_time(HOUR)
    assert len(kept.ids) == 160


def test_a_store_that_is_away_is_asked_again(keep, monkeypatch):
    """A minute later."""
    kept = keep(keep=timedelta(hours=1))
    kept.say()

    async def away(*_: object) -> Any:
        raise StoreUnavailable("It is away.")

    with monkeypatch.context() as patch:
        patch.setattr(kept.store, "old_entries", away)
        kept.pass_time(HOUR + 60)
    assert kept.ids == [1]
    kept.pass_time(60)
    assert kept.ids == []


def test_it_goes_on_after_any_error(keep, monkeypatch):
    """The log says why once, and once more if it has worked meanwhile."""
    kept = keep(keep=timedelta(hours=1))
    kept.say()

    async def broken(*_: object) -> Any:
        raise OSError("Too many open files")

    with capturedLogs() as logs:
        for _ in range(2):
            with monkeypatch.context() as patch:
                patch.setattr(kept.store, "old_entries", broken)
                for _ in range(3):
                    kept.pass_time(60)
            kept.pass_time(60)
    failed = [event for event in logs if "could not be removed" in event["log_format"]]
    assert len(failed) == 2
    kept.pass_time(HOUR)
    assert kept.ids == []


def test_a_stop_ends_the_look(keep, monkeypatch):
    """Also in the middle of it; after the next start it goes on."""
    monkeypatch.setattr(retention_of, "AT_ONCE", 1)
    kept = keep(keep=timedelta(hours=1))
    kept.say(20)
    kept.clock.advance(HOUR + 60)
    result_of(kept.chat.stopService())
    assert kept.clock.getDelayedCalls() == []
    result_of(kept.chat.startService())
    kept.say()
    kept.pass_time(clock_doubt.LASTS)
    assert kept.ids == []


class Wall:
    """A chat of which messages are kept for two hours, and the clock of its machine."""

    def __init__(self):
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.set_by = timedelta(0)
        self.store = MemoryStore()
        result_of(self.store.startService())
        self.alice = result_of(self.store.add_user("alice", None, 0, self.now()))
        self.retention = Retention(self.store, self.clock, self.now, timedelta(hours=2), None)

    def now(self):
        return datetime.fromtimestamp(self.clock.seconds(), timezone.utc) + self.set_by

    def say(self):
        draft = Draft(self.alice.id, None, "hi", self.now())
        message: Message = result_of(self.store.append(draft))
        return message.id

    def pass_minutes(self, minutes=1):
        for _ in range(minutes):
            self.clock.advance(60)
            self.clock.pump([0] * 5)


@pytest.fixture
def wall():
    """It is stopped in the end, and leaves nothing behind."""
    wall = Wall()
    yield wall
    result_of(wall.retention.stop())
    assert wall.clock.getDelayedCalls() == []


def test_a_clock_that_is_set_wrong_deletes_nothing(wall):
    """For a day, in which it can be set right; the log says so, once."""
    wall.retention.start()
    wall.say()
    wall.pass_minutes()
    wall.set_by = timedelta(days=1000)
    wall.say()
    with capturedLogs() as logs:
        wall.pass_minutes(3)
    assert [log["log_level"].name for log in logs] == ["warn"]
    assert "2026-08-10" in formatEvent(logs[0])
    assert wall.store.kept_after == 0
    wall.set_by = timedelta(0)
    wall.pass_minutes(24 * 60)
    assert wall.store.kept_after == 1


def test_a_clock_that_was_set_is_believed_after_a_day(wall):
    """A machine that slept has old messages, too, and they go."""
    wall.retention.start()
    old = wall.say()
    wall.pass_minutes()
    wall.set_by = timedelta(hours=3)
    wall.pass_minutes(24 * 60)
    assert wall.store.kept_after == 0
    wall.pass_minutes()
    assert wall.store.kept_after == old


def test_a_clock_that_is_wrong_at_the_start_deletes_nothing(wall):
    """Whatever is sent meanwhile; what is then there goes when its time comes."""
    before = wall.say()
    wall.set_by = timedelta(days=1000)
    wall.retention.start()
    wall.say()
    wall.pass_minutes(3)
    assert wall.store.kept_after == 0
    result_of(wall.retention.stop())
    wall.set_by = timedelta(0)
    wall.retention.start()
    wall.pass_minutes(2)
    assert wall.store.kept_after == 0
    wall.pass_minutes(24 * 60)
    assert wall.store.kept_after >= before


def test_after_a_start_messages_go_as_ever_while_one_of_them_stays(wall):
    """Nobody doubts a clock by which some of them are young."""
    old = wall.say()
    wall.pass_minutes(90)
    wall.say()
    wall.retention.start()
    wall.pass_minutes(31)
    assert wall.store.kept_after == old


async def next_of(entries):
    return await entries.__anext__()


def test_a_follower_in_the_process_gets_the_gap(keep):
    """Where it goes on; one that has all that there was is told of none."""
    kept = keep(keep=timedelta(hours=1))
    far_behind = kept.chat.follow_entries(kept.alice, 0)
    up_to_date = kept.chat.follow_entries(kept.alice, 0)
    bob = result_of(kept.chat.join("bob"))
    first, second = kept.say(), kept.say()
    for expected in (first, second):
        assert result_of(next_of(up_to_date)).id == expected
    waiting = kept.chat.follow_entries(bob)
    coming = [result_of(next_of(waiting)).id for _ in range(2)]
    assert coming == [first, second]
    kept.pass_time(HOUR + 60)
    new = kept.say()
    assert result_of(next_of(far_behind)) == Gap(0, second)
    for follower in (far_behind, up_to_date, waiting):
        assert result_of(next_of(follower)).id == new
        result_of(follower.aclose())
    assert result_of(kept.chat.cursor(kept.alice)) == second


def test_who_waits_while_others_talk_privately_has_missed_nothing(keep):
    """What is not for a follower is no gap when it goes."""
    kept = keep(keep=timedelta(hours=1))
    bob = result_of(kept.chat.join("bob"))
    carol = result_of(kept.chat.join("carol"))
    follower = kept.chat.follow_entries(carol, 0)
    first = kept.say()
    assert result_of(next_of(follower)).id == first
    coming = kept.chat.follow_entries(carol, first)
    for _ in range(2):
        result_of(kept.chat.send_private(kept.alice, bob.id, "psst"))
    waiting = begun(next_of(coming))
    kept.pass_time(2 * HOUR)
    new = kept.say()
    kept.pass_time(0)
    assert result_of(waiting).id == new
    for each in (follower, coming):
        result_of(each.aclose())


@pytest.mark.parametrize(
    ("text", "seconds"), [("30d", 30 * 86_400), ("12h", 12 * HOUR), ("90m", 5400), ("3600s", HOUR)]
)
def test_a_time_is_written_with_its_unit(text, seconds):
    """Seconds, minutes, hours or days."""
    assert parse_age(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "30", "d", "1.5h", "-1d", "59m", "3599s", "36501d", "30 d"])
def test_other_times_are_refused(text):
    """So is less than an hour: the key of a message goes with it."""
    with pytest.raises(ValueError, match=r"30d|an hour"):
        parse_age(text)


@pytest.mark.parametrize(
    "kept", [{"keep": timedelta(minutes=59)}, {"keep_messages": 0}, {"keep_messages": 10**12 + 1}]
)
def test_a_chat_refuses_what_makes_no_sense(kept):
    """When it is made, and not when it is too late."""
    with pytest.raises(ValueError, match="kept"):
        Chat(MemoryStore(), Clock(), **kept)


def test_a_stop_does_not_wait_for_the_rest_of_the_log(monkeypatch):
    """What is under way is one read, and not all those that would come after it."""
    monkeypatch.setattr(retention_of, "AT_ONCE", 2)
    kept = Kept(keep=timedelta(hours=1))
    kept.say(9)
    kept.clock.advance(2 * HOUR)
    kept.clock.pump([0] * 20)
    reads: list[Deferred[tuple[int, int]]] = []

    def read(*_):
        reads.append(Deferred())
        return reads[-1]

    monkeypatch.setattr(kept.store, "old_entries", read)
    kept.clock.advance(retention_of.CHECK_EVERY)
    stopped: list[None] = []
    kept.chat.stopService().addCallback(stopped.append)
    assert stopped == []
    reads[0].callback((2, 2))
    assert stopped == [None]
    assert len(reads) == 1
    assert kept.clock.getDelayedCalls() == []
