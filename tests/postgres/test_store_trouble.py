"""A database that is there and does not do what it should: said in time, and tried again."""

from __future__ import annotations

import psycopg
import pytest
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from chatter.log.limited_drafts import LimitedDraft, LimitReached
from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.model import Draft
from chatter.stores.postgres import database as databases
from chatter.stores.postgres import reconnecting
from chatter.stores.postgres.database import Database, schema_scripts
from chatter.stores.registry import check_store, make_store
from chatter.testing.waiting import begun, join, must_raise
from tests.postgres.server import PASSWORD
from tests.postgres.support import NOW, eventually, opened, seconds_of, working


async def refused_until(store, url, break_it, mend_it):
    """Sends fail and checks say so, until the database is mended; nothing is logged twice."""
    (alice,) = await join(store, "alice")
    kept = [await store.append(Draft(alice.id, None, "a", NOW))]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(break_it)
        for _ in range(3):
            await must_raise(StoreUnavailable, store.append(Draft(alice.id, None, "b", NOW)))
            with pytest.raises(StoreUnavailable, match="SQLSTATE"):
                await store.check()
        assert await store.read_feed(alice.id, 0, 10) == kept
        connection.execute(mend_it)
    await working(store)
    kept.append(await store.append(Draft(alice.id, None, "c", NOW)))
    assert await store.read_feed(alice.id, 0, 10) == kept


FULL = """
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE disk_full USING MESSAGE = 'could not extend file'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON log EXECUTE FUNCTION full_disk()
"""


@pytest.mark.parametrize(
    ("break_it", "mend_it", "reason"),
    [
        (FULL, "DROP TRIGGER full_disk ON log", "could not extend file"),
        (
            "ALTER FUNCTION write_batch(json, json, json, json) RENAME TO away",
            "ALTER FUNCTION away RENAME TO write_batch",
            "42883",
        ),
    ],
)
async def test_a_database_that_can_only_be_read(url, logged, break_it, mend_it, reason):
    """Sends fail and checks tell so at once; reading goes on, and the log says it once."""
    async with opened(url) as (store,):
        await refused_until(store, url, break_it, mend_it)
    reasons = [event["reason"] for event in logged if "reason" in event]
    assert len(reasons) == 1
    assert reason in reasons[0]


async def test_a_limited_send_shows_that_there_is_room_again(url):
    """Where all sends have a limit, the log says that they work as soon as one has."""
    async with opened(url) as (store,):
        (alice,) = await join(store, "alice")

        def limited(remaining):
            draft = LimitedDraft(alice.id, None, "a", NOW, counted_until=0, remaining=remaining)
            return store.append(draft)

        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(FULL)
            await must_raise(StoreUnavailable, limited(1))
            connection.execute("DROP TRIGGER full_disk ON log")
        await must_raise(LimitReached, limited(0))
        assert store._writes._trouble.reason is not None, "nothing was written"
        await limited(1)
        assert store._writes._trouble.reason is None


async def test_a_log_that_is_locked_is_noticed_at_once(url):
    """A check does not wait for the lock, and what was sent meanwhile fails together."""
    async with opened(url) as (store,):
        (alice,) = await join(store, "alice")

        def sent(text):
            return seconds_of(store.append(Draft(alice.id, None, text, NOW)), StoreUnavailable)

        with psycopg.connect(url) as connection:
            connection.execute("SELECT FROM log_end FOR UPDATE")
            first = begun(sent("first"))
            assert await seconds_of(store.check(), StoreUnavailable) < 3
            late = begun(sent("late"))
            assert await seconds_of(store.check(), StoreUnavailable) < 3
            waited = await first
            assert await late < waited, "it does not begin to wait anew"
        await working(store)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(24, "Too many open files"), "Too many open files"),
        (RuntimeError("a defect"), "a defect"),
    ],
)
async def test_whatever_fails_while_reconnecting_is_tried_again(
    postgres, url, logged, error, reason
):
    """One attempt that fails with something unforeseen is not the last one."""
    async with opened(url) as (store,):
        (alice,) = await join(store, "alice")
        connect, failures = store._database.connect, [error, error, error]

        def fail_first():
            if failures:
                raise failures.pop()
            return connect()

        store._database.connect = fail_first
        await deferToThread(postgres.restart, "immediate")
        await eventually(lambda: not failures)
        await working(store)
        await store.append(Draft(alice.id, None, "a", NOW))
    reasons = [event["reason"] for event in logged if "reason" in event]
    assert len([each for each in reasons if reason in each]) in (1, 2)


async def test_a_password_that_was_changed_is_logged_once(postgres, url, logged):
    """The operator reads why the database can't be reached, and not once a second."""
    async with opened(url) as (store,):
        connect = store._database.connect
        refused = StoreUnavailable("can't be used: password authentication failed")
        attempts = []

        def refuse():
            attempts.append(refused)
            raise refused

        store._database.connect = refuse
        await deferToThread(postgres.restart, "immediate")
        await eventually(lambda: len(told_of_passwords(logged)) >= 2 and len(attempts) >= 10)
        store._database.connect = connect
        await working(store)
    # One for each of the two sessions.
    assert len(told_of_passwords(logged)) == 2


def told_of_passwords(logged):
    return [event for event in logged if "password" in event.get("reason", "")]


@pytest.mark.parametrize(
    ("version", "lock"),
    [
        (None, "SELECT FROM log_end FOR UPDATE"),
        (None, "LOCK TABLE log_end"),
        (None, "LOCK TABLE chatter_schema"),
        (1, "LOCK TABLE log_end"),
    ],
)
async def test_a_start_waits_for_a_lock(postgres, database, url, monkeypatch, version, lock):
    """Somebody who holds what the first queries or an upgrade need does not end it."""
    Database(url).prepare(schema_scripts()[:version])
    with postgres.connect(database) as connection, monkeypatch.context() as hurried:
        hurried.setattr(reconnecting, "PATIENCE", 1)
        hurried.setattr(databases, "PATIENCE", 1)
        hurried.setattr(databases, "LOCK_ATTEMPTS", 1)
        connection.execute("BEGIN")
        connection.execute(lock.encode())
        await deferToThread(check_store, url)
        async with opened(url) as (store,):
            hurried.undo()
            for link in (store._connected.writer, store._connected.reader):
                link.patience = reconnecting.PATIENCE
            with pytest.raises(StoreUnavailable, match="away: "):
                await store.check()
            connection.execute("ROLLBACK")
            await working(store)
            await join(store, "alice")


async def test_a_start_goes_on_after_a_session_that_ends_at_once(postgres, url, monkeypatch):
    """A database that ends each session may be in the middle of a restart."""
    open_database = Database.open
    ended: list[int] = []

    def open_and_lose(self):
        connection = open_database(self)
        if len(ended) < 3:
            ended.append(connection.info.backend_pid)
            with postgres.connect() as other:
                other.execute("SELECT pg_terminate_backend(%s, 60000)", [ended[-1]])
        return connection

    monkeypatch.setattr(Database, "open", open_and_lose)
    async with opened(url) as (store,):
        await working(store)
    assert len(ended) == 3


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        ("ALTER FUNCTION enter_epoch RENAME TO away", "SQLSTATE 42883"),
        ("DELETE FROM log_end", "SQLSTATE P0002"),
    ],
)
async def test_a_defect_of_the_database_ends_the_start(postgres, database, url, break_it, reason):
    """It is there at the next attempt, too; a line says which one it is."""
    Database(url).prepare()
    with postgres.connect(database) as connection:
        connection.execute(break_it.encode())
    with pytest.raises(StoreUnavailable, match=reason) as raised:
        await make_store(url, reactor).startService()
    assert database in raised.value.detail
    assert "\n" not in raised.value.detail
    assert PASSWORD not in raised.value.detail
