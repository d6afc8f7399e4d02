"""A SQLite file of an earlier version is brought up to date, and goes on."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import datetime, timezone
from pathlib import Path

import pytest
from twisted.internet import reactor

from chatter.log.lineage import Lineage, new_epoch
from chatter.protocol.model import Draft
from chatter.stores.sqlite import SQLiteStore

DUMP = Path(__file__).with_name("version_1.sql")
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.fixture
def path(tmp_path):
    """A file of version 1, with three users and three messages."""
    path = tmp_path / "chatter.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(DUMP.read_text())
    return path


async def test_all_is_there_after_the_upgrade(path):
    """Messages, users, tokens, keys and cursors; and ids go on."""
    store = SQLiteStore(path, reactor)
    await store.startService()
    assert [user.name for user in await store.users(0, 9)] == [
        "Alice",
        "al\u034fice",
        "Two  blanks",
    ]
    assert [message.text for message in await store.read_feed(1, 0, 9)] == ["a", "psst", "c"]
    assert await store.cursor(3) == 3
    found = await store.tokens.find(b"a" * 32)
    assert found is not None
    token, alice = found
    assert alice.id == token.user_id == 1
    assert token.seen_at == alice.last_seen
    assert (await store.append(Draft(1, None, "again", NOW, "key"))).id == 1
    assert (await store.append(Draft(1, None, "new", NOW))).id == 4
    await store.stopService()


async def test_names_are_folded_anew(path):
    """Two that have become one stay two: the first is found, and neither can be taken."""
    store = SQLiteStore(path, reactor)
    await store.startService()
    for name, user_id in (("ALICE", 1), ("a\u200dlice", 1), ("two blanks", 3), ("Two   BLANKS", 3)):
        user = await store.user_by_name(name)
        assert user is not None
        assert user.id == user_id
    await store.stopService()


async def test_who_joined_before_has_not_joined_lately(path):
    """When that was is not known."""
    store = SQLiteStore(path, reactor)
    await store.startService()
    found = await store.tokens.find(b"a" * 32)
    assert found is not None
    assert found[0].created_at is None
    await store.stopService()


async def test_the_first_epoch_begins_with_the_upgrade(path):
    """A position from then on is known after a restart; a stranger's is not."""
    store = SQLiteStore(path, reactor)
    await store.startService()
    known = store.lineage.current
    await store.append(Draft(1, None, "new", NOW))
    await store.stopService()
    await store.startService()
    assert store.lineage.shared(known, 4) == 4
    assert store.lineage.shared(known, 2) == 2
    assert store.lineage.shared(Lineage([new_epoch(0)]).current, 4) == 0
    await store.stopService()


async def test_a_start_writes_nothing(path):
    """Epochs are saved with messages; whoever restarts a server in a loop fills no disk."""
    for _ in range(3):
        store = SQLiteStore(path, reactor)
        await store.startService()
        await store.stopService()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM epochs").fetchone() == (0,)


async def test_the_id_of_a_deleted_user_is_not_given_again(path):
    """The messages of who was deleted by hand before the upgrade are nobody else's."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM users WHERE id = 3")
        connection.commit()
    store = SQLiteStore(path, reactor)
    await store.startService()
    assert (await store.add_user("new", None, 0, NOW)).id == 4
    await store.stopService()


async def test_nobody_has_the_name_of_one_who_has_left(path):
    """Who has one of that form gets another one, and can be erased; so can the one it is for."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for user_id, name in (
            (4, "Erased-6"),
            (5, "erased-5"),
            (6, "was-erased-5"),
            (7, "erased-"),
        ):
            connection.execute(
                "INSERT INTO users VALUES (?, ?, ?, NULL, 0, 0)", (user_id, name, name.lower())
            )
        connection.commit()
    store = SQLiteStore(path, reactor)
    await store.startService()
    assert [user.name for user in await store.users(3, 9)] == [
        *("was-Erased-6", "was-erased-5-5", "was-erased-5", "erased-"),
    ]
    assert await store.user_by_name("WAS-erased-6") == await store.user_by_id(4)
    for user_id in (5, 6):
        assert await store.erasure.begin(user_id, NOW) is not None
        assert await store.erasure.begin(user_id, NOW) is None
    await store.stopService()
