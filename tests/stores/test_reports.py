"""Reports can't fill the disk: each of our stores keeps only the newest ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from twisted.internet import reactor

from chatter.log.entries import ReportDraft
from chatter.protocol.model import Draft
from chatter.stores.memory import MemoryStore
from chatter.stores.memory import moderation as memory_moderation
from chatter.stores.postgres import moderation as postgres_moderation
from chatter.stores.registry import make_store
from chatter.stores.sqlite import SQLiteStore
from chatter.stores.sqlite import moderation as sqlite_moderation
from chatter.testing.waiting import NOW, all_of, join


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request, tmp_path, monkeypatch) -> Any:
    """A store that keeps five reports."""
    modules = (memory_moderation, sqlite_moderation, postgres_moderation)
    for module in modules:
        monkeypatch.setattr(module, "MOST_REPORTS", 5)
    if request.param == "memory":
        return MemoryStore()
    if request.param == "sqlite":
        return SQLiteStore(tmp_path / "chatter.sqlite", reactor)
    postgres = request.getfixturevalue("postgres")
    return make_store(postgres.url(request.getfixturevalue("database")), reactor)


async def test_only_the_newest_reports_are_kept(store):
    """The others are forgotten, in the order in which they came."""
    await store.startService()
    try:
        alice, bob = await join(store, "alice", "bob")
        said = await all_of(store.append(Draft(alice.id, None, "a", NOW)) for _ in range(7))
        since = NOW - timedelta(hours=1)
        for message in said:
            report = ReportDraft(message.id, alice.id, bob.id, "", NOW)
            await store.moderation.report(report, since)
        found = await store.moderation.reports(None, 10)
        assert [report.message.id for report in found] == [m.id for m in reversed(said[2:])]
    finally:
        await store.stopService()
