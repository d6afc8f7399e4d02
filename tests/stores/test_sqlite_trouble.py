"""What befalls a SQLite file while it is in use, and what users and operators are told."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from datetime import datetime, timezone

import pytest
from twisted.internet import reactor
from twisted.internet.task import deferLater

from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.model import Draft
from chatter.stores.sqlite import SQLiteStore
from chatter.stores.sqlite.writing import FILES_CHECKED
from chatter.testing.waiting import all_of, begun, must_raise

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "chatter.sqlite"


@contextlib.asynccontextmanager
async def opened(path):
    store = SQLiteStore(path, reactor)
    await store.startService()
    try:
        yield store
    finally:
        await store.stopService()


@contextlib.contextmanager
def locked(path):
    """The file, as another program has locked it."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def after(seconds):
    return deferLater(reactor, seconds, lambda: None)


async def test_requests_behind_a_lock_fail_in_time_and_together(path):
    """Whatever came while the first waited for the lock does not wait as long again."""
    async with opened(path) as store:
        user = await store.add_user("alice", None, 0, NOW)

        def send():
            return must_raise(StoreUnavailable, store.append(Draft(user.id, None, "a", NOW)))

        with locked(path):
            first = begun(send())
            for _ in range(2):
                # It goes to the writer before the others come.
                await after(0)
            others = all_of(send() for _ in range(10))
            await first
            later = after(0)
            await others
            assert not later.called, "they do not begin to wait anew"
            await later
        kept = await store.append(Draft(user.id, None, "kept", NOW))
        assert await store.read_feed(user.id, 0, 10) == [kept]


async def test_a_check_behind_a_lock_is_short_and_true(path):
    """It says at once that nothing can be written, with and without a send before."""
    async with opened(path) as store:
        user = await store.add_user("alice", None, 0, NOW)
        with locked(path):
            for _ in range(3):
                began = reactor.seconds()
                await must_raise(StoreUnavailable, store.check())
                assert reactor.seconds() - began < 30
            sending = begun(store.append(Draft(user.id, None, "a", NOW)))
            await must_raise(StoreUnavailable, store.check())
            await must_raise(StoreUnavailable, sending)
        await store.check()


async def test_a_stop_behind_a_lock_is_short(path):
    """What can't be saved in time is forgotten, and the process can end."""
    async with opened(path) as store:
        user = await store.add_user("alice", None, 0, NOW)
        with locked(path):
            store.save_progress(user.id, 1, NOW)
            sending = begun(store.append(Draft(user.id, None, "a", NOW)))
            began = reactor.seconds()
            await store.stopService()
            assert reactor.seconds() - began < 30
            await must_raise(StoreUnavailable, sending)


@pytest.mark.parametrize("which", ["", "-wal"])
@pytest.mark.parametrize("replaced", [False, True])
async def test_a_file_that_is_gone_is_noticed(path, logged, which, replaced):
    """Nothing is acknowledged that is written to a file that nobody will find again."""
    file = path.with_name(path.name + which)
    away = path.with_name("away")
    async with opened(path) as store:
        user = await store.add_user("alice", None, 0, NOW)
        await after(2 * FILES_CHECKED)
        if replaced:
            shutil.copy(file, away)
            away.replace(file)
        else:
            file.rename(away)
        for _ in range(3):
            await must_raise(StoreUnavailable, store.append(Draft(user.id, None, "lost", NOW)))
            with pytest.raises(StoreUnavailable) as raised:
                await store.check()
            assert file.name in raised.value.detail
            assert str(path.parent) not in raised.value.detail
        if not replaced:
            away.rename(file)
            await store.check()
            await store.append(Draft(user.id, None, "kept", NOW))
    lines = [event["reason"] for event in logged if "reason" in event]
    assert len(lines) == 1
    assert str(file) in lines[0]


async def test_a_file_that_was_emptied_is_noticed(path):
    """What other programs write into the file does not make a message durable that is gone."""
    async with opened(path) as store:
        user = await store.add_user("alice", None, 0, NOW)
        await store.append(Draft(user.id, None, "a", NOW))
        await after(2 * FILES_CHECKED)
        os.truncate(path, 0)
        for _ in range(2):
            await must_raise(StoreUnavailable, store.append(Draft(user.id, None, "lost", NOW)))
            await must_raise(StoreUnavailable, store.check())


@pytest.mark.parametrize("has_sent", [False, True])
@pytest.mark.parametrize("table", ["log", "chats"])
async def test_a_table_that_is_gone_is_noticed(path, table, has_sent):
    """A check is true about messages: that there is room for them is not enough."""
    async with opened(path) as store:
        user = await store.add_user("alice", None, 0, NOW)
        draft = Draft(user.id, user.id, "a", NOW)
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute(f"DROP TABLE {table}")
        for _ in range(2):
            if has_sent:
                await must_raise(StoreUnavailable, store.append(draft))
            await must_raise(StoreUnavailable, store.check())


async def test_a_file_that_is_replaced_during_a_commit_is_noticed(path):
    """The file is looked at after the commit, too."""
    async with opened(path) as store:
        user = await store.add_user("alice", None, 0, NOW)
        await after(2 * FILES_CHECKED)
        store._writer._connection.create_function("gone", 0, lambda: path.rename(f"{path}-away"))
        writing = store._writer.submit(lambda connection: connection.execute("SELECT gone()"))
        await must_raise(StoreUnavailable, writing)
        assert user.id
