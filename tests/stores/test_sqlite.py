"""What is special about the store in a SQLite file."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import stat
from datetime import datetime, timezone
from pathlib import Path

import pytest
from twisted.internet import reactor

from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.model import Draft
from chatter.stores.registry import check_store, make_store
from chatter.stores.sqlite import SQLiteStore, chats, entries, writing
from chatter.stores.sqlite.database import Database, schema_scripts
from chatter.testing.waiting import all_of, join

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "chatter.sqlite"


def rejection(path, **more):
    with pytest.raises(StoreUnavailable) as raised:
        Database(path, **more)
    assert "\n" not in raised.value.detail
    assert str(path) in raised.value.detail
    return raised.value.detail


def test_only_the_owner_can_read_the_file(path):
    """Messages and hashes of tokens are nobody else's business."""
    Database(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_chatter_is_refused(path):
    """A file belongs to one process; it is free again when that closes it."""
    first = Database(path)
    assert "in use by another chatter" in rejection(path)
    first.close()
    Database(path).close()


def test_a_link_to_a_file_in_use_is_refused(path, tmp_path):
    """It is the file that is locked, whatever it is called."""
    first = Database(path)
    link = tmp_path / "link.sqlite"
    link.symlink_to(path)
    assert "in use" in rejection(link)
    first.close()


def test_a_foreign_database_is_refused_and_left_alone(path):
    """A SQLite file of another program is not touched."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE cats (name)")
    connection.close()
    before = path.read_bytes()
    assert "is not chatter's" in rejection(path)
    assert path.read_bytes() == before


def test_what_is_no_database_is_refused_and_left_alone(path):
    """Any other file is not touched."""
    path.write_bytes(b"These are my notes, and no database at all." * 100)
    before = path.read_bytes()
    assert "not a database" in rejection(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("where", ["missing/chatter.sqlite", "."])
def test_a_place_where_there_can_be_no_file_is_refused(tmp_path, where):
    """A folder that is missing, or a folder in the file's place, is said in one line."""
    rejection(tmp_path / where)


def test_a_newer_schema_is_refused(path):
    """A database that a newer chatter has changed is not touched."""
    Database(path, [*schema_scripts(), "CREATE TABLE new (a);"]).close()
    assert "newer" in rejection(path)


def test_an_older_schema_is_brought_up_to_date(path):
    """Only the scripts that are new are run, each once."""
    Database(path).close()
    more = [*schema_scripts(), "CREATE TABLE new (a);", "INSERT INTO new VALUES (1);"]
    for _ in range(2):
        Database(path, more).close()
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT * FROM new").fetchall() == [(1,)]
    assert connection.execute("PRAGMA user_version").fetchone() == (len(more),)
    connection.close()


async def test_the_chats_of_an_older_log_are_found(path):
    """Private messages that were sent before there was a list of chats are in it."""
    scripts = schema_scripts()
    older = next(n for n, script in enumerate(scripts) if "CREATE TABLE chats" in script)
    Database(path, scripts[:older]).close()
    connection = sqlite3.connect(path)
    for number in (1, 2, 3):
        connection.execute(
            "INSERT INTO users (id, name, folded_name, cursor, last_seen) VALUES (?, ?, ?, 0, 0)",
            (number, f"user {number}", f"user {number}"),
        )
    for message in ((1, 1, 2), (2, 2, 1), (3, 3, 1), (4, 1, 1), (5, 1, None)):
        connection.execute(
            "INSERT INTO messages (id, sender_id, recipient_id, text, sent_at) "
            "VALUES (?, ?, ?, 'a', 0)",
            message,
        )
    connection.commit()
    connection.close()
    store = SQLiteStore(path, reactor)
    await store.startService()
    found = await store.chats(1, 0, None, 10)
    assert [(chat.recipient_id, chat.last and chat.last.id, chat.unread) for chat in found] == [
        (None, 5, 0),
        (1, 4, 0),
        (3, 3, 1),
        (2, 2, 1),
    ]
    await store.stopService()


def test_a_script_that_fails_changes_nothing(path):
    """An upgrade is done whole or not at all."""
    Database(path).close()
    rejection(path, scripts=[*schema_scripts(), "CREATE TABLE new (a); SELECT nonsense;"])
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT name FROM sqlite_schema WHERE name = 'new'").fetchall() == []
    connection.close()
    Database(path).close()


def test_a_commit_is_synced(path):
    """What is acknowledged survives a loss of power: every connection syncs each commit."""
    database = Database(path)
    connection = database.connect()
    full = 2
    assert connection.execute("PRAGMA synchronous").fetchone() == (full,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    database.close()


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        (chats.READ_PRIVATE_CHATS, {"user_id": 1, "cursor": 0, "before": 9, "limit": 10}),
        (chats.READ_GENERAL_MARK, {"user_id": 1}),
        (chats.READ_GENERAL_LAST, {}),
        (chats.COUNT_GENERAL_UNREAD, {"user_id": 1, "read": 0}),
        (entries.READ_FEED, {"user_id": 1, "after": 0, "limit": 10}),
        (entries.READ_GENERAL, {"before": 9, "limit": 10}),
        (entries.READ_GENERAL_SENDERS, {"before": 9, "limit": 10}),
        (entries.READ_PRIVATE, {"user_id": 1, "other_id": 2, "before": 9, "limit": 10}),
    ],
)
def test_reading_passes_over_nothing(path, statement, parameters):
    """Each message that is read is found by an index, and none is looked at in vain."""
    database = Database(path)
    connection = database.connect()
    parameters = {**parameters, "kept_after": 0}
    plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    for *_, step in plan:
        if re.search(r"\b(log|chats|m|e)\b", step):
            # A scan of an index from its end, for the newest one, ends at once.
            newest = statement == chats.READ_GENERAL_LAST
            assert step.startswith("SEARCH") or (newest and "USING INDEX" in step), step
    connection.close()
    database.close()


def test_what_follows_from_a_row_passes_over_nothing(path):
    """Each statement of a trigger finds its rows by an index, however many chats there are."""
    database = Database(path)
    connection = database.connect()
    triggers = connection.execute("SELECT sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    statements_of_triggers = [
        re.sub(r"\b(OLD|NEW)\.\w+", "1", statement)
        for (trigger,) in triggers
        for statement in re.split(r"\bBEGIN\b|;|\bEND\b", trigger)[1:]
        if statement.strip()
    ]
    assert len(statements_of_triggers) >= 4
    for statement in statements_of_triggers:
        for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
            assert not re.match(r"SCAN (log|chats)\b", step), (statement, step)
    connection.close()
    database.close()


@pytest.mark.parametrize("number", [1, entries.MOST_ROWS, 3 * entries.MOST_ROWS + 1])
async def test_what_arrives_together_is_committed_together(path, number):
    """All that one turn of the reactor appends is one commit: of one statement, or of several."""
    store = SQLiteStore(path, reactor)
    await store.startService()
    user = await store.add_user("alice", None, 0, NOW)
    # The first message after a start has the epoch with it.
    first = await store.append(Draft(user.id, None, "first", NOW))
    executed: list[str] = []
    store._writer._connection.set_trace_callback(executed.append)
    messages = await all_of(store.append(Draft(user.id, None, f"{n}", NOW)) for n in range(number))
    # The trigger of each row is part of its statement, and traced as that statement again.
    executed = [*dict.fromkeys(line for line in executed if not line.startswith("PRAGMA"))]
    if number > entries.MOST_ROWS:
        assert executed.pop(0) == "BEGIN IMMEDIATE"
        assert executed.pop() == "COMMIT"
    assert len(executed) == -(-number // entries.MOST_ROWS)
    assert await store.read_general(None, number + 1) == [first, *messages]
    await store.stopService()


async def test_a_write_that_fails_stores_nothing_and_the_next_one_may_work(path):
    """An error of the database is a 503, nothing of the batch is there, and it recovers."""
    store = SQLiteStore(path, reactor)
    await store.startService()
    user = await store.add_user("alice", None, 0, NOW)
    store._writer._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailable):
        await store.append(Draft(user.id, None, "lost", NOW))
    with pytest.raises(StoreUnavailable):
        await store.check()
    store._writer._connection.execute("PRAGMA query_only = OFF")
    await store.check()
    kept = await store.append(Draft(user.id, None, "kept", NOW))
    assert await store.read_feed(user.id, 0, 10) == [kept]
    await store.stopService()


def open_files():
    """The names of the files that this process has open."""
    names = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            names.append(str(descriptor.readlink()))
    return names


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc to look at")
async def test_no_file_is_left_open(path):
    """After the stop, nothing of the store is open any more."""
    store = SQLiteStore(path, reactor)
    await store.startService()
    assert [name for name in open_files() if str(path) in name]
    await store.stopService()
    assert not [name for name in open_files() if str(path) in name]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc to look at")
def test_a_file_that_was_refused_is_let_go(path):
    """Whoever keeps the error does not keep the file open."""
    path.write_bytes(b"These are my notes, and no database at all." * 100)
    with pytest.raises(StoreUnavailable) as raised:
        Database(path)
    assert not [name for name in open_files() if str(path) in name]
    assert raised.value.detail


def everything_in(folder):
    return {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}


def test_a_check_makes_nothing(path, tmp_path):
    """Neither the file nor a lock nor a log beside it, whatever is there already."""
    check_store(f"sqlite:{path}")
    assert not everything_in(tmp_path)
    Database(path).close()
    before = everything_in(tmp_path)
    check_store(f"sqlite:{path}")
    assert everything_in(tmp_path) == before


def test_a_check_says_what_opening_would(path, tmp_path):
    """Each in one line."""

    def reason(location=f"sqlite:{path}"):
        with pytest.raises(StoreUnavailable) as raised:
            check_store(location)
        assert "\n" not in raised.value.detail
        return raised.value.detail

    assert "No such file" in reason(f"sqlite:{tmp_path}/missing/chatter.sqlite")
    assert "directory" in reason(f"sqlite:{tmp_path}").lower()
    held = Database(path, [*schema_scripts(), "CREATE TABLE new (a);"])
    assert "in use by another chatter" in reason()
    held.close()
    assert "newer" in reason()
    for foreign in (b"These are my notes, and no database at all." * 100, b"short"):
        path.write_bytes(foreign)
        assert "not a database" in reason()
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE cats (name)")
    assert "is not chatter's" in reason()


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("sqlite::memory:", "memory:"),
        ("sqlite:///x/chat.db", "sqlite:/x/chat.db"),
        ("sqlite://chat.db", "sqlite:chat.db"),
        ("sqlite:chat.db?mode=ro", "sqlite:chat.db"),
        ("sqlite:file:chat.db?mode=memory", "sqlite:chat.db"),
    ],
)
def test_what_other_programs_call_a_database_is_explained(wrong, right, tmp_path, monkeypatch):
    """No file with such a name is made; it says what to write instead."""
    monkeypatch.chdir(tmp_path)
    for choose in (check_store, lambda location: make_store(location, reactor)):
        with pytest.raises(ValueError, match=right):
            choose(wrong)
    assert not everything_in(tmp_path)


def test_a_store_is_chosen_by_its_scheme(path):
    """The string names the store; what makes no sense is said."""
    assert isinstance(make_store(f"sqlite:{path}", reactor), SQLiteStore)
    check_store(f"sqlite:{path}")
    for wrong in ("sqlite:", "mysql:x", "memory:x", "nonsense", ""):
        with pytest.raises(ValueError):
            check_store(wrong)


async def test_the_id_of_a_user_who_was_deleted_by_hand_is_not_given_again(path):
    """Nor are the private messages of that user somebody else's."""
    store = SQLiteStore(path, reactor)
    await store.startService()
    await join(store, "alice", "bob")
    await store.stopService()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM users WHERE name = 'bob'")
    await store.startService()
    (carol,) = await join(store, "carol")
    assert carol.id == 3
    await store.stopService()


@pytest.mark.parametrize(
    ("together", "pages"), [(1, writing.SHORT_CHECKPOINT), (writing.MANY, writing.LONG_CHECKPOINT)]
)
async def test_the_write_ahead_log_is_copied_in_parts(path, together, pages):
    """In small ones, for nobody writes meanwhile; in large ones where many write."""
    store = SQLiteStore(path, reactor)
    await store.startService()
    try:
        (alice,) = await join(store, "alice")
        large = Draft(alice.id, None, "ten pages" * 4400, NOW)
        for _ in range(1 + 2 * pages // 10 // together):
            await all_of(store.append(large) for _ in range(together))
        log = path.with_name(f"{path.name}-wal")
        assert pages < log.stat().st_size // 4096 < 1.2 * pages + 12 * together
    finally:
        await store.stopService()
