"""Changes of messages in a SQLite file: what stays of a text, old files, and ids."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.task import deferLater

from chatter.log.entries import ChangeDraft
from chatter.protocol.model import Draft
from chatter.stores.sqlite import SQLiteStore, scrubbing
from chatter.stores.sqlite.database import Database, schema_scripts
from chatter.testing.waiting import NOW, all_of

real_reactor: Any = reactor


@pytest.fixture
def path(tmp_path):
    return tmp_path / "chatter.sqlite"


async def test_a_withdrawn_text_is_soon_in_no_file(path, monkeypatch):
    """It is overwritten in the database, and the write-ahead log is emptied; sends go on."""
    monkeypatch.setattr(scrubbing, "SCRUBBED_AFTER", 0.05)
    store = SQLiteStore(path, reactor)
    await store.startService()
    alice = await store.add_user("alice", None, 0, NOW)
    texts = [f"secret {number} " * 200 for number in range(20)]
    sent = await all_of(store.append(Draft(alice.id, None, text, NOW)) for text in texts)
    files = (path, path.with_name(f"{path.name}-wal"))
    assert any(b"secret" in file.read_bytes() for file in files)
    await all_of(
        store.change(ChangeDraft(m.id, "public" if m.id % 2 else None, alice.id, NOW)) for m in sent
    )
    deadline = real_reactor.seconds() + 60
    while any(b"secret" in file.read_bytes() for file in files):
        assert real_reactor.seconds() < deadline, "it stays"
        await store.append(Draft(alice.id, None, "meanwhile", NOW))
        await deferLater(real_reactor, 0.02)
    await store.stopService()
    assert b"secret" not in path.read_bytes()
    assert b"public" in path.read_bytes()


async def test_emptying_is_tried_again(path, monkeypatch):
    """A program that reads the file holds it up, and not for ever."""
    monkeypatch.setattr(scrubbing, "SCRUBBED_AFTER", 0.05)
    monkeypatch.setattr("chatter.stores.sqlite.database.LOCK_WAIT", 0.01)
    store = SQLiteStore(path, reactor)
    await store.startService()
    alice = await store.add_user("alice", None, 0, NOW)
    sent = await store.append(Draft(alice.id, None, "secret", NOW))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM log").fetchall()
    await store.change(ChangeDraft(sent.id, None, alice.id, NOW))
    log = path.with_name(f"{path.name}-wal")
    await deferLater(real_reactor, 0.2)
    assert b"secret" in log.read_bytes()
    other.close()
    deadline = real_reactor.seconds() + 60
    while log.read_bytes():
        assert real_reactor.seconds() < deadline, "it is not emptied"
        await deferLater(real_reactor, 0.02)
    await store.stopService()


async def test_an_older_file_has_changes_too(path):
    """One that was made before there were changes is upgraded, with its chats."""
    scripts = schema_scripts()
    older = next(n for n, script in enumerate(scripts) if "RENAME TO log" in script)
    Database(path, scripts[:older]).close()
    connection = sqlite3.connect(path)
    for number, name in ((1, "alice"), (2, "bob")):
        connection.execute(
            "INSERT INTO users (id, name, folded_name, cursor, last_seen) VALUES (?, ?, ?, 0, 0)",
            (number, name, name),
        )
    connection.executemany(
        "INSERT INTO messages (id, sender_id, recipient_id, text, sent_at, idempotency_key) "
        "VALUES (?, ?, ?, 'old', 0, ?)",
        [(1, 1, 2, "k1"), (2, 2, 1, None), (3, 1, None, None)],
    )
    connection.commit()
    connection.close()
    store = SQLiteStore(path, reactor)
    await store.startService()
    assert await store.last_id() == 3
    await store.change(ChangeDraft(2, None, 2, NOW))
    _, edited = await store.change(ChangeDraft(1, "new", 1, NOW))
    general, private = await store.chats(1, 0, None, 10)
    assert (general.last and general.last.id, private.last) == (3, edited)
    assert [entry.id for entry in await store.read_feed(1, 0, 10)] == [1, 3, 4, 5]
    await store.stopService()


async def test_no_id_is_given_twice_whatever_is_deleted(path):
    """Also when an operator has deleted the newest rows by hand."""
    store = SQLiteStore(path, reactor)
    await store.startService()
    alice = await store.add_user("alice", None, 0, NOW)
    sent = [await store.append(Draft(alice.id, None, "a", NOW)) for _ in range(3)]
    await store.stopService()
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM log WHERE id >= 2")
    connection.commit()
    connection.close()
    await store.startService()
    assert await store.last_id() == sent[-1].id
    new = await store.append(Draft(alice.id, None, "b", NOW))
    assert new.id > sent[-1].id
    await store.stopService()
