"""What is no longer kept in a SQLite file is deleted little by little, while others write."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, closing
from itertools import chain, count, repeat
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock, deferLater
from twisted.logger import capturedLogs

from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.model import Draft
from chatter.stores import deleting
from chatter.stores.deleting import Deleting, Slice
from chatter.stores.sqlite import SQLiteStore, scrubbing, trimming
from chatter.stores.sqlite.database import Database
from chatter.testing.waiting import NOW, all_of, begun, join

real_reactor: Any = reactor


@pytest.fixture
def path(tmp_path):
    return tmp_path / "chatter.sqlite"


@asynccontextmanager
async def opened(path):
    store = SQLiteStore(path, reactor)
    await store.startService()
    try:
        yield store
    finally:
        await store.stopService()


def ids_in(path):
    with closing(sqlite3.connect(path)) as connection:
        return [number for (number,) in connection.execute("SELECT id FROM log ORDER BY id")]


async def eventually(is_so):
    deadline = real_reactor.seconds() + 60
    while not is_so():
        assert real_reactor.seconds() < deadline, "it never comes"
        await deferLater(real_reactor, 0.01)


async def test_it_is_deleted_in_slices(path, monkeypatch):
    """Sends go on in between, and after a restart it goes on where it was."""
    monkeypatch.setattr(trimming, "MOST_SLICE", 2)
    with monkeypatch.context() as patch:
        # There is time for one slice only.
        patch.setattr(deleting, "LEAST_PAUSE", 3600)
        async with opened(path) as store:
            alice, bob = await join(store, "alice", "bob")
            drafts = [Draft(alice.id, bob.id if n % 2 else None, "a", NOW) for n in range(9)]
            sent = await all_of(store.append(draft) for draft in drafts)
            await store.trim(sent[6].id)
            await eventually(lambda: len(ids_in(path)) == 7)
            new = await store.append(drafts[0])
            assert await store.read_general(None, 10) == [sent[8], new]
        assert ids_in(path) == [message.id for message in (*sent[2:], new)]
    async with opened(path) as store:
        await eventually(lambda: ids_in(path) == [sent[7].id, sent[8].id, new.id])
        assert await store.read_general(None, 10) == [sent[8], new]


async def test_a_deleted_text_is_soon_in_no_file(path, monkeypatch):
    """It is overwritten in the database, and the write-ahead log is emptied.

    The newest message stays, so that what goes are whole slices.
    """
    monkeypatch.setattr(scrubbing, "SCRUBBED_AFTER", 0.05)
    async with opened(path) as store:
        (alice,) = await join(store, "alice")
        texts = [f"secret {number} " * 200 for number in range(trimming.FIRST_SLICE + 1)]
        sent = await all_of(store.append(Draft(alice.id, None, text, NOW)) for text in texts)
        await store.trim(sent[-1].id)
        files = (path, path.with_name(f"{path.name}-wal"))
        await eventually(lambda: not any(b"secret" in file.read_bytes() for file in files))


async def test_a_key_can_be_used_again_when_its_message_is_deleted(path):
    """The same one is a new message then."""
    async with opened(path) as store:
        (alice,) = await join(store, "alice")
        draft = Draft(alice.id, None, "a", NOW, "key")
        first = await store.append(draft)
        assert await store.append(draft) == first
        await store.trim(first.id)
        await eventually(lambda: ids_in(path) == [])
        again = await store.append(draft)
        assert again.id == first.id + 1
        assert await store.append(draft) == again


@pytest.fixture
def long_log(tmp_path):
    """A log of 2,000 messages, written past the store."""
    path = tmp_path / "long.sqlite"
    database = Database(path)
    with closing(database.connect()) as connection:
        send(connection, 2000)
        yield connection
    database.close()


def send(connection, number):
    rows = [(1, "", 0)] * number
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO log (sender_id, text, sent_at) VALUES (?, ?, ?)", rows)
    connection.execute("COMMIT")


def clock_that_takes(*seconds):
    """A clock by which one deletion after the other takes so long, the last one as all others."""
    waits = chain(seconds, repeat(seconds[-1]))
    return chain.from_iterable((0.0, next(waits)) for _ in count()).__next__


def deleted_at_once(connection, slices, *, until=1500, sent=()):
    """How much each slice deletes, between which so many messages are sent."""
    deleted = []
    for number in sent:
        deleted.append(slices.delete(connection, until)[0])
        send(connection, number)
    return deleted


def test_slices_are_as_large_as_fits_into_their_time(long_log):
    """So others wait for no longer on a slow disk, or where entries cost more."""
    fits = trimming.SLICE_SECONDS
    slices = trimming.Slices(clock_that_takes(fits, fits / 4, 4 * fits, fits * 1000))
    assert deleted_at_once(long_log, slices, sent=[0] * 7) == [50, 50, 100, 50, 25, 12, 10]


def test_slices_are_small_while_others_write(long_log):
    """They need the disk, too; what fits is not forgotten meanwhile."""
    slices = trimming.Slices(clock_that_takes(trimming.SLICE_SECONDS))
    assert deleted_at_once(long_log, slices, sent=[1, 16, 0, 0]) == [50, 10, 20, 50]


def test_slices_outgrow_what_is_sent(long_log):
    """A busy log becomes shorter, too; but a pause, or a burst, makes no slice that lasts."""
    slices = trimming.Slices(clock_that_takes(1))
    sent = [80, 200, 10_000, 0, 0]
    assert deleted_at_once(long_log, slices, until=920, sent=sent) == [50, 100, 250, 500, 10]
    assert deleted_at_once(long_log, slices, until=920, sent=[10_000]) == [10]
    assert deleted_at_once(long_log, slices, until=920, sent=[10_000]) == [0]
    assert deleted_at_once(long_log, slices, sent=[0]) == [10], "it begins anew"


def test_the_pause_is_no_longer_for_what_keeps_pace(long_log):
    """Or more would come in it, the next slice would be larger, and so on."""
    slices = trimming.Slices(clock_that_takes(trimming.SLICE_SECONDS))
    assert slices.delete(long_log, 1500) == (50, Slice(False, trimming.SLICE_SECONDS))
    send(long_log, 200)
    assert slices.delete(long_log, 1500) == (250, Slice(False, trimming.SLICE_SECONDS / 5))


class Slices:
    """Something to delete, a slice at a time."""

    def __init__(self, clock, number):
        self.clock = clock
        self.left = number
        self.deleted_at: list[float] = []
        self.takes = 0.0
        self.is_away = False
        self.under_way: Deferred[Slice] | None = None

    def delete(self):
        if self.is_away:
            raise StoreUnavailable("It is away.")
        self.left -= 1
        self.deleted_at.append(self.clock.seconds())
        self.clock.rightNow += self.takes
        return self.under_way or succeed(Slice(self.left <= 0, self.takes))


def test_deleting_takes_a_share_of_the_time():
    """The longer a slice takes, the longer others have the time for themselves."""
    clock = Clock()
    slices = Slices(clock, 3)
    work = Deleting(clock, slices.delete, duty=0.1)
    work.start()
    slices.takes = 0.5
    work.wake()
    clock.pump([0.25] * 60)
    assert slices.deleted_at == [0, 5, 10]
    assert clock.getDelayedCalls() == []
    slices.left, slices.takes = 1, 0
    work.wake()
    assert slices.left == 0


def test_deleting_goes_on_after_the_store_was_away():
    """It is tried again, and not all the time."""
    clock = Clock()
    slices = Slices(clock, 1)
    slices.is_away = True
    work = Deleting(clock, slices.delete, duty=0.1)
    work.start()
    work.wake()
    clock.advance(deleting.AGAIN - 1)
    slices.is_away = False
    assert slices.deleted_at == []
    clock.advance(1)
    assert slices.deleted_at == [deleting.AGAIN]


def test_deleting_goes_on_after_any_error():
    """It is tried again, and the log says why once."""
    clock = Clock()
    slices = Slices(clock, 1)

    async def broken() -> Any:
        if clock.seconds() < 2 * deleting.AGAIN:
            raise OSError("Too many open files")
        return await slices.delete()

    work = Deleting(clock, broken, duty=0.1)
    work.start()
    with capturedLogs() as logs:
        work.wake()
        clock.pump([deleting.AGAIN] * 2)
    assert slices.deleted_at == [2 * deleting.AGAIN]
    assert len(logs) == 1
    assert clock.getDelayedCalls() == []


def test_a_stop_ends_deleting():
    """In a pause at once, else when the slice under way is done; nothing is left behind."""
    clock = Clock()
    slices = Slices(clock, 9)
    work = Deleting(clock, slices.delete, duty=0.1)
    work.wake()
    assert len(slices.deleted_at) == 0, "it does not run yet"
    work.start()
    work.wake()
    assert len(slices.deleted_at) == 1
    stopped = begun(work.stop())
    assert stopped.called
    assert clock.getDelayedCalls() == []
    work.start()
    slices.under_way = Deferred()
    work.wake()
    work.wake()
    stops: list[None] = []
    begun(work.stop()).addCallback(stops.append)
    assert stops == []
    slices.under_way.callback(Slice(is_last=False, seconds=0))
    assert stops == [None]
    assert (len(slices.deleted_at), clock.getDelayedCalls()) == (2, [])
