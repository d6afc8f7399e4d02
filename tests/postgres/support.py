"""Stores on a real server, as several nodes have them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from chatter.protocol.errors import StoreUnavailable
from chatter.stores.registry import make_store
from chatter.testing.waiting import begun

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)


@asynccontextmanager
async def opened(*urls):
    """A store for each URL, open, and what each has told its listener."""
    nodes = []
    try:
        for url in urls:
            store: Any = make_store(url, reactor)
            store.told = []
            store.listener = store.told.extend
            await store.startService()
            nodes.append(store)
        yield nodes
    finally:
        for store in nodes:
            await store.stopService()


async def eventually(is_so, seconds=60):
    """Wait until something is so; it may have to be awaited itself."""
    deadline = reactor.seconds() + seconds
    while True:
        result = is_so()
        if await result if hasattr(result, "__await__") else result:
            return
        assert reactor.seconds() < deadline, "it never comes"
        await deferLater(reactor, 0.01, lambda: None)


async def cursor_of(store, user, cursor):
    """Whether a store has a user at a cursor."""
    return await store.cursor(user.id) == cursor


async def working(store):
    """Wait until a store can serve."""
    deadline = reactor.seconds() + 60
    while True:
        try:
            await store.check()
        except StoreUnavailable:
            assert reactor.seconds() < deadline, "it never comes back"
            await deferLater(reactor, 0.05, lambda: None)
        else:
            return


async def seconds_of(awaitable, error):
    """How long something takes until it raises that error."""
    began = reactor.seconds()
    try:
        await awaitable
    except error:
        return reactor.seconds() - began
    raise AssertionError("it raised nothing")


async def refused_at_once(awaitable):
    """See that something is refused without waiting for anybody, however slow the machine is."""
    outcomes: list[Any] = []
    deferred: Any = begun(awaitable)
    deferred.addBoth(outcomes.append)
    for _ in range(20):
        if outcomes:
            break
        await deferLater(reactor, 0, lambda: None)
    [outcome] = outcomes
    assert isinstance(outcome, Failure)
    assert outcome.check(StoreUnavailable)
