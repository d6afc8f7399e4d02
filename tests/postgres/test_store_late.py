"""Writes that were given up: they are not executed later, when newer ones were."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from chatter.log.entries import ChangeDraft
from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.model import Draft
from chatter.stores.postgres.database_clock import DatabaseClock
from chatter.testing.waiting import begun, join, must_raise, outcomes_of
from tests.postgres.proxy import Proxy
from tests.postgres.support import NOW, eventually, opened, working

GIVES_UP = 0.5
"""So many seconds a node waits that is to give up."""


@pytest.fixture
def proxy(postgres):
    with Proxy(postgres.port) as proxy:
        yield proxy


def edit(message, by, text):
    return ChangeDraft(message.id, text, by.id, NOW)


async def given_up(postgres, database, node, drafts, release):
    """Have a node give up some writes, release what holds them up, and wait for their backend."""
    writer = node._connected.writer
    pid, patience = writer.backend_pid, writer.patience
    writer.patience = GIVES_UP
    for outcome in await outcomes_of(begun(draft) for draft in drafts):
        assert isinstance(outcome, StoreUnavailable)
    # What it writes afterwards may take its time.
    writer.patience = patience
    await release()
    alive = "SELECT FROM pg_stat_activity WHERE pid = %s"
    with postgres.connect(database) as connection:
        await eventually(lambda: connection.execute(alive, (pid,)).fetchone() is None)


async def test_what_the_network_has_held_is_not_executed(postgres, database, url, proxy):
    """The newer edit of another node stays, and nothing is said by who was told it failed."""
    async with opened(postgres.url(database, proxy.port), url) as (cut_off, other):
        (alice,) = await join(other, "alice")
        message = await other.append(Draft(alice.id, None, "first", NOW))
        await eventually(lambda: cut_off.told == [message])

        async def release():
            await other.change(edit(message, alice, "newer"))
            proxy.resume()

        proxy.hold()
        held = [
            cut_off.append(Draft(alice.id, None, "late", NOW)),
            cut_off.change(edit(message, alice, "older")),
        ]
        await given_up(postgres, database, cut_off, held, release)
        assert [entry.text for entry in await other.read_feed(alice.id, 0, 10)] == [
            "newer",
            "newer",
        ]
        await working(cut_off)
        assert (await cut_off.append(Draft(alice.id, None, "again", NOW))).id == 3


async def test_what_has_waited_for_the_log_is_not_executed(postgres, database, url):
    """A batch that gets its lock when nobody waits for it any more does nothing."""
    async with opened(url) as (node,):
        (alice,) = await join(node, "alice")
        with postgres.connect(database) as other:
            other.execute("BEGIN")
            other.execute("SELECT FROM log_end FOR UPDATE")

            async def release():
                other.execute("COMMIT")

            held = [node.append(Draft(alice.id, None, "late", NOW))]
            await given_up(postgres, database, node, held, release)
        await working(node)
        assert await node.read_feed(alice.id, 0, 10) == []


async def test_a_clock_that_was_set_is_read_anew(url):
    """The database's clock is set forward: one batch fails, and the next session knows."""
    async with opened(url) as (node,):
        (alice,) = await join(node, "alice")
        node._connected.clock._ahead -= 10
        await must_raise(StoreUnavailable, node.append(Draft(alice.id, None, "a", NOW)))
        await working(node)
        assert (await node.append(Draft(alice.id, None, "b", NOW))).id == 1


def test_the_clock_of_the_database_is_followed():
    """It is known to within the time that a batch takes, and is rather taken to be earlier."""
    here = Clock()
    here.advance(100)
    clock = DatabaseClock(here.seconds)
    clock.start(1000.0)
    assert clock.at(100) == 1000

    def batch(seconds, there):
        sent = here.seconds()
        here.advance(seconds)
        clock.follow(sent, there)
        return clock.at(here.seconds())

    assert batch(2, 1001.5) == 1002, "a slow batch says nothing new"
    assert batch(1, 1010.0) == 1010, "it was set forward"
    assert batch(1, 900.0) == 901, "it was set back"
    assert batch(0, 900.5) == 900.5, "a quick batch says it exactly"
