"""A database that is away: refused at once, there again by itself, and nothing lost."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager

import pytest
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.model import Draft
from chatter.stores.postgres import reconnecting
from chatter.stores.registry import check_store, make_store
from chatter.testing.waiting import all_of, begun, join, must_raise, outcomes_of
from tests.postgres.proxy import Proxy
from tests.postgres.server import PASSWORD
from tests.postgres.support import (
    NOW,
    cursor_of,
    eventually,
    opened,
    refused_at_once,
    seconds_of,
    working,
)


@pytest.fixture
def proxy(postgres):
    with Proxy(postgres.port) as proxy:
        yield proxy


@contextmanager
def impatient(store):
    """Have a store take a database for hung soon; before and afterwards it may take its time."""
    connected = store._connected
    for link in (connected.writer, connected.reader):
        link.patience = 0.5
    yield
    for link in (connected.writer, connected.reader):
        link.patience = reconnecting.PATIENCE


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_database_that_restarts(postgres, url, mode):
    """While it is away all is refused at once; then all goes on, and no message is lost."""
    async with opened(url, url) as (here, there):
        (alice,) = await join(here, "alice")
        before = await here.append(Draft(alice.id, None, "before", NOW, "key"))
        here.save_progress(alice.id, before.id, NOW)
        await deferToThread(postgres.stop, mode)
        try:
            await eventually(lambda: here._connected.writer.backend_pid is None)
            await eventually(lambda: here._connected.reader.backend_pid is None)
            for asked in (
                here.append(Draft(alice.id, None, "refused", NOW)),
                here.add_user("bob", None, 0, NOW),
                here.read_feed(alice.id, 0, 1),
                here.cursor(alice.id),
                here.check(),
            ):
                await refused_at_once(asked)
            here.save_progress(alice.id, 5, NOW)
            assert await here.last_id() == before.id, "what is known can be read on"
        finally:
            await deferToThread(postgres.start)
        await all_of([working(here), working(there)])
        assert await here.append(Draft(alice.id, None, "again", NOW, "key")) == before
        after = await there.append(Draft(alice.id, None, "after", NOW))
        await eventually(lambda: here.told == [before, after])
        await eventually(lambda: there.told == [before, after])
        assert await here.read_feed(alice.id, 0, 10) == [before, after]
        await eventually(lambda: cursor_of(there, alice, 5))


async def test_a_connection_that_hangs(postgres, database, proxy):
    """What waits is refused when it has waited long enough, what comes then at once."""
    async with opened(postgres.url(database, proxy.port)) as (store,):
        (alice,) = await join(store, "alice")
        proxy.hold()
        draft = Draft(alice.id, None, "unknown", NOW, "key")
        with impatient(store):
            first = begun(seconds_of(store.append(draft), StoreUnavailable))
            read = begun(seconds_of(store.read_feed(alice.id, 0, 1), StoreUnavailable))
            await deferLater(reactor, 0.3, lambda: None)
            second = begun(seconds_of(store.append(draft), StoreUnavailable))
            waited = await first
            assert await second < waited, "it does not begin to wait anew"
            await read
        for _ in range(3):
            await refused_at_once(store.append(draft))
            await refused_at_once(store.check())
            await deferLater(reactor, 0.2, lambda: None)
        proxy.resume()
        await working(store)
        message = await store.append(draft)
        assert await store.read_feed(alice.id, 0, 10) == [message], "once, whatever became of it"
        await eventually(lambda: store.told == [message])


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes can't be stopped here")
async def test_a_backend_that_hangs(postgres, url):
    """One process of the server that does nothing any more costs a new connection."""
    async with opened(url) as (store,):
        (alice,) = await join(store, "alice")
        pid = store._connected.writer.backend_pid
        os.kill(pid, signal.SIGSTOP)
        try:
            with impatient(store):
                await must_raise(StoreUnavailable, store.append(Draft(alice.id, None, "a", NOW)))
            await eventually(lambda: store._connected.writer.backend_pid not in (None, pid))
            message = await store.append(Draft(alice.id, None, "b", NOW))
        finally:
            os.kill(pid, signal.SIGCONT)
        assert message in store.told


async def test_a_lock_that_is_never_let_go(postgres, database, url):
    """As long as somebody else holds the log, nothing is written, and that is said at once."""
    async with opened(url) as (store,):
        (alice,) = await join(store, "alice")
        with postgres.connect(database) as connection, connection.transaction():
            connection.execute("SELECT FROM log_end FOR UPDATE")
            with impatient(store):
                await must_raise(StoreUnavailable, store.append(Draft(alice.id, None, "a", NOW)))
                # That there is a connection again is not enough to serve.
                await deferLater(reactor, 1.3, lambda: None)
            await refused_at_once(store.check())
            assert await store.read_feed(alice.id, 0, 10) == []
        await working(store)
        message = await store.append(Draft(alice.id, None, "b", NOW))
        assert message in await store.read_feed(alice.id, 0, 10)


async def test_connections_that_are_cut(postgres, database, url, proxy):
    """Under load: what was acknowledged is there once, what was refused is safe to repeat."""
    async with opened(postgres.url(database, proxy.port), url) as (cut, other):
        (alice,) = await join(cut, "alice")
        drafts = [Draft(alice.id, None, f"{n}", NOW, f"key {n}") for n in range(200)]
        results = {}
        for start in range(0, 200, 20):
            waiting = drafts[start : start + 20]
            sending = outcomes_of(cut.append(draft) for draft in waiting)
            await deferLater(reactor, 0.002, lambda: None)
            proxy.cut()
            for draft, outcome in zip(waiting, await sending, strict=True):
                if isinstance(outcome, StoreUnavailable):
                    await working(cut)
                    outcome = await cut.append(draft)  # noqa: PLW2901
                results[draft.text] = outcome
        log = await other.read_feed(alice.id, 0, 1000)
        assert {message.text: message for message in log} == results
        assert len(log) == 200
        for node in (cut, other):
            await eventually(lambda node=node: len(node.told) == 200)
            assert node.told == log


async def test_a_notification_that_is_lost_makes_it_later_only(postgres, database, url):
    """A node that is not notified looks by itself."""
    async with opened(url, url) as (here, there):
        (alice,) = await join(here, "alice")
        there._connected.writer._session._notified = lambda *_: None
        message = await here.append(Draft(alice.id, None, "a", NOW))
        await eventually(lambda: there.told == [message])


async def test_a_notification_of_anybody_is_only_a_hint(postgres, database, url):
    """Whatever somebody notifies, nothing is told that is not in the log."""
    async with opened(url) as (store,):
        (alice,) = await join(store, "alice")
        with postgres.connect(database) as connection:
            for payload in ("", "nonsense", "99", "-1", "\u0663", "9" * 30):
                connection.execute("SELECT pg_notify('chatter', %s)", (payload,))
        message = await store.append(Draft(alice.id, None, "a", NOW))
        assert store.told == [message]
        await store.check()


async def test_the_listener_is_told_what_was_written_meanwhile(postgres, database, url, proxy):
    """A node that could not hear for a while catches up, in order, however much it is."""
    async with opened(postgres.url(database, proxy.port), url) as (deaf, other):
        (alice,) = await join(other, "alice")
        proxy.refuse()
        await all_of(other.append(Draft(alice.id, None, f"{n}", NOW)) for n in range(2500))
        assert deaf.told == []
        proxy.resume()
        await eventually(lambda: len(deaf.told) == 2500)
        assert deaf.told == other.told


async def test_a_stop_does_not_wait_for_a_database_that_hangs(
    postgres, database, proxy, monkeypatch
):
    """It ends in time, and says no to what is under way."""
    monkeypatch.setattr(reconnecting, "PATIENCE", 120)
    async with opened(postgres.url(database, proxy.port)) as (store,):
        (alice,) = await join(store, "alice")
        proxy.hold()
        sending = begun(seconds_of(store.append(Draft(alice.id, None, "a", NOW)), StoreUnavailable))
        store.save_progress(alice.id, 1, NOW)
        began = reactor.seconds()
        await store.stopService()
        assert reactor.seconds() - began < 30
        await sending


async def test_a_stop_while_the_database_is_reached_for(postgres, database, proxy):
    """It leaves no connection and no attempt behind."""
    async with opened(postgres.url(database, proxy.port)) as (store,):
        proxy.hold()
        with impatient(store):
            await must_raise(StoreUnavailable, store.check())
        await deferLater(reactor, 0.2, lambda: None)
        began = reactor.seconds()
        await store.stopService()
        assert reactor.seconds() - began < 30


async def test_a_database_that_is_away_at_the_start(postgres, url, logged):
    """The store waits for it, says why, also in the log, and serves once it is there."""
    await deferToThread(postgres.stop)
    check_store(url)
    async with opened(url) as (store,):
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match=r"away: .*[Rr]efused|away: .*No such"):
                await store.check()
            await must_raise(StoreUnavailable, store.last_id())
            await must_raise(StoreUnavailable, store.user_by_id(1))
            await deferLater(reactor, 0.15, lambda: None)
        await deferToThread(postgres.start)
        await working(store)
        assert await store.last_id() == 0
    reasons = [event["reason"] for event in logged if "reason" in event]
    assert len(reasons) < 6
    assert PASSWORD not in "".join(reasons)


async def test_a_start_that_is_ended_while_the_database_is_away(postgres, url):
    """Nothing goes on trying."""
    await deferToThread(postgres.stop)
    async with opened(url):
        pass


@pytest.mark.parametrize("host", ["/nowhere/password", "/nowhere/pg_hba"])
def test_a_database_that_is_away_is_waited_for_whatever_its_name(host):
    """A name in an error may have the words of one that never passes."""
    check_store(f"postgresql:///chat?host={host}")


@pytest.mark.parametrize("wrong", ["database", "password", "user"])
async def test_what_can_never_work_ends_the_start(postgres, url, wrong):
    """It is said in one line, and not tried again and again."""
    url = {
        "database": url.rpartition("/")[0] + "/missing",
        "password": url.replace(PASSWORD, "wrong"),
        "user": "postgresql://nobody:secret@" + url.partition("@")[2],
    }[wrong]
    store = make_store(url, reactor)
    for fail in (store.startService, lambda: deferToThread(check_store, url)):
        with pytest.raises(StoreUnavailable) as raised:
            await fail()
        assert "\n" not in raised.value.detail
        assert PASSWORD not in raised.value.detail
