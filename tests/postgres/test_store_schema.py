"""The schema in PostgreSQL: made once, brought up to date, and nobody else's touched."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import psycopg
import pytest

from chatter.protocol.errors import StoreUnavailable
from chatter.stores.postgres import (
    chats,
    entries,
    moderation,
    revocations,
    session_start,
    tokens,
    users,
)
from chatter.stores.postgres.database import Database, schema_scripts
from chatter.stores.registry import check_store


@pytest.fixture
def query(postgres, database):
    """Asks the database something, besides the store."""
    with postgres.connect(database) as connection:
        yield lambda statement: connection.execute(statement).fetchall()


def rejection(url, scripts=None):
    with pytest.raises(StoreUnavailable) as raised:
        Database(url).prepare(scripts)
    assert "\n" not in raised.value.detail
    return raised.value.detail


def test_the_schema_is_made_by_one_of_many(url, query):
    """Servers that start at once on an empty database all find one schema."""
    with ThreadPoolExecutor(8) as threads:
        for made in [threads.submit(Database(url).prepare) for _ in range(16)]:
            made.result()
    assert query("SELECT version FROM chatter_schema") == [(len(schema_scripts()),)]
    assert query("SELECT last_id FROM log_end") == [(0,)]


def test_a_check_makes_nothing(url, query):
    """It looks only; what is wrong is said all the same."""
    check_store(url)
    assert query("SELECT to_regclass('chatter_schema')") == [(None,)]
    Database(url).prepare([*schema_scripts(), "CREATE TABLE new (a int)"])
    with pytest.raises(StoreUnavailable, match="newer"):
        check_store(url)


def test_a_newer_schema_is_refused(url):
    """A database that a newer chatter has changed is not touched."""
    Database(url).prepare([*schema_scripts(), "CREATE TABLE new (a int)"])
    assert "newer" in rejection(url)


def test_an_older_schema_is_brought_up_to_date_once(url, query):
    """Only the scripts that are new are run, each once, however many servers start."""
    Database(url).prepare()
    more = [*schema_scripts(), "CREATE TABLE new (a int)", "INSERT INTO new VALUES (1)"]
    with ThreadPoolExecutor(4) as threads:
        for made in [threads.submit(Database(url).prepare, more) for _ in range(8)]:
            made.result()
    assert query("SELECT * FROM new") == [(1,)]


def test_the_chats_of_an_older_log_are_found(url, query):
    """Also those of messages that nodes of the old version send during the upgrade and after."""
    scripts = schema_scripts()
    older = next(n for n, script in enumerate(scripts) if "CREATE TABLE chats" in script)
    Database(url).prepare(scripts[:older])
    ended = Event()

    def send():
        draft = {"text": "a", "sent_at": "2026-01-01T00:00:00Z"}
        number = 0
        with Database(url).connect() as connection:
            while not ended.is_set() or number % 7:
                pairs = [(number % 7 + 1, number * n % 9 + 1) for n in range(3)]
                drafts = [{**draft, "sender_id": a, "recipient_id": b} for a, b in pairs]
                connection.execute("SELECT write_batch(%s, NULL, NULL)", (json.dumps(drafts),))
                number += 1

    with ThreadPoolExecutor(2) as threads:
        sending = [threads.submit(send) for _ in range(2)]
        for _ in range(50):
            query("SELECT pg_sleep(0.01)")
        Database(url).prepare()
        ended.set()
        for sent in sending:
            sent.result()
    right = query("""
        SELECT user_id, other_id, max(id) FROM (
            SELECT sender_id AS user_id, recipient_id AS other_id, id FROM messages
            UNION SELECT recipient_id, sender_id, id FROM messages
        ) AS pairs GROUP BY user_id, other_id ORDER BY user_id, other_id
    """)
    assert query("SELECT user_id, other_id, last_id FROM chats ORDER BY user_id, other_id") == right


def test_names_are_folded_anew(url, query, postgres, database):
    """Two that have become one stay two; the first is found as the new fold has it."""
    Database(url).prepare(schema_scripts()[:1])
    with postgres.connect(database) as connection:
        for name, old in (("Alice", "alice"), ("al\u034fice", "al\u034fice"), ("B  b", "b  b")):
            connection.execute(
                "INSERT INTO users (name, folded_name, cursor, last_seen)"
                " VALUES (%s, %s, 0, now())",
                (name, old),
            )
    Database(url).prepare()
    found = query("SELECT folded_name FROM users ORDER BY id")
    assert found == [("alice",), ("al\u034fice",), ("b b",)]
    assert query("SELECT count(*) FROM users WHERE joined_at IS NULL") == [(3,)]


def test_nobody_has_the_name_of_one_who_has_left(url, query):
    """Who has one of that form gets another one, and can be erased; a server before gives none."""
    add = "INSERT INTO users (name, folded_name, cursor, last_seen) VALUES ('{}', '{}', 0, now())"
    Database(url).prepare(schema_scripts()[:4])
    with psycopg.connect(url) as connection:
        for name in ("Erased-3", "erased-2", "was-erased-2", "erased-"):
            connection.execute(add.format(name, name.lower()).encode())
    Database(url).prepare()
    assert query("SELECT name, folded_name FROM users ORDER BY id") == [
        ("was-Erased-3", "was-erased-3"),
        ("was-erased-2-2", "was-erased-2-2"),
        ("was-erased-2", "was-erased-2"),
        ("erased-", "erased-"),
    ]
    for user_id in (2, 3):
        begin = f"SELECT begin_erasure({user_id}, 'erased-{user_id}', now()) IS NULL"
        assert [query(begin), query(begin)] == [[(False,)], [(True,)]]
    query(add.format("erased-9", "erased-9") + " RETURNING id")
    assert query("SELECT count(*) FROM users") == [(4,)]


def test_an_upgrade_waits_for_no_lock_long(url, query, postgres, database):
    """It begins anew until it has its locks, and whoever writes meanwhile does not wait for it."""
    Database(url).prepare(schema_scripts()[:1])
    with ThreadPoolExecutor(1) as threads, psycopg.connect(url) as connection:
        connection.execute("SELECT FROM log_end FOR UPDATE")
        upgrade = threads.submit(Database(url).prepare)
        for _ in range(3):
            query("SELECT pg_sleep(0.5)")
            assert not upgrade.done()
        connection.execute("SELECT last_id FROM write_batch(NULL, NULL, NULL)")
        connection.commit()
        upgrade.result()
    assert query("SELECT version FROM chatter_schema") == [(len(schema_scripts()),)]


def test_a_script_that_fails_changes_nothing(url, query):
    """An upgrade is done whole or not at all."""
    Database(url).prepare()
    rejection(url, [*schema_scripts(), "CREATE TABLE new (a int); SELECT nonsense"])
    assert query("SELECT to_regclass('new')") == [(None,)]
    Database(url).prepare()


@pytest.mark.parametrize("table", ["users", "messages", "log_end"])
def test_a_database_of_another_application_is_refused(url, query, postgres, database, table):
    """Where a table of ours is somebody else's, nothing is made."""
    with postgres.connect(database) as connection:
        connection.execute(f"CREATE TABLE {table} (cat text)")
    assert "is not chatter's" in rejection(url)
    assert query("SELECT to_regclass('chatter_schema')") == [(None,)]


def test_a_schema_of_its_own_is_room_for_another_chat(postgres, database, url):
    """The search_path of the URL says where in a database the chat is."""
    with postgres.connect(database) as connection:
        connection.execute("CREATE TABLE users (cat text)")
        connection.execute('CREATE SCHEMA "My Chat"')
    Database(f"{url}?options=-csearch_path%3D%22My%5C%20Chat%22").prepare()
    assert "no schema" in rejection(f"{url}?options=-csearch_path%3Dmissing")


def test_a_database_in_another_encoding_is_refused(postgres, database):
    """A chat has all characters, so its database must."""
    name = f"{database}_latin1"
    with postgres.connect() as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING LATIN1 TEMPLATE template0")
    assert "UTF8" in rejection(postgres.url(name))


def test_a_database_that_is_only_read_is_refused(postgres, database):
    """A standby is no place to write; of several hosts the one is taken that is none."""
    with postgres.connect() as connection:
        connection.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    assert "read-only" in rejection(postgres.url(database))


def test_a_commit_is_synced(url):
    """What is acknowledged survives a loss of power, whatever the database has as its default."""
    Database(url).prepare()
    with Database(url).connect() as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute(session_start.BEGIN_SESSION.sql)
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
        connection.execute("SET synchronous_commit = remote_apply")
        connection.execute(session_start.BEGIN_SESSION.sql)
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("remote_apply",)


READS = {
    "READ_LOG": "5, 10, 0",
    "READ_FEED": "1, 5, 10, 0",
    "READ_MESSAGE": "5, 0",
    "READ_GENERAL": "15000, 10, 0",
    "READ_GENERAL_SENDERS": "15000, 10, 0",
    "READ_PRIVATE": "1, 2, 15000, 10, 0",
    "READ_USERS": "0, 10",
    "USER_BY_ID": "1",
    "USER_BY_NAME": "'user 1'",
    "FIND_TOKEN": "'c4ca4238a0b923820dcc509a6f75849b'",
    "READ_TOKENS": "1",
    "READ_REVOCATIONS": "0",
    "READ_CURSORS": "'{1,2}'",
    "READ_USERS_BY_ID": "'{1,2}'",
    "READ_USERS_BY_PREFIX": "'user 1', 'user 1􏿿', 10",
    "READ_PRIVATE_CHATS": "1, 0, 15000, 10, 0",
    "READ_GENERAL_CHAT": "1, 0, 0",
}

MODULES = (session_start, users, entries, chats, moderation, tokens, revocations)

OF_A_KIND = (
    "(kind = 0)",
    "(m.kind = 0)",
    "(m_1.kind = 0)",
    "(kind = ANY ('{1,2,4,5}'::integer[]))",
    "((kind = 0) OR ((kind = 1) AND ",
)
"""Where a stretch is read of which only messages are wanted, or changes only, or some of them."""

FILL = """
    INSERT INTO users (name, folded_name, token_hash, cursor, last_seen)
    SELECT 'user ' || n, 'user ' || n, decode(md5(n::text), 'hex'), 0, now()
    FROM generate_series({first}, {last} / 20) n;
    INSERT INTO messages
    SELECT n, 1 + n % 1000, CASE WHEN n % 100 < {general} THEN NULL ELSE 1 + n * 7 % 1000 END,
           'text', now(), CASE WHEN n % 2 = 0 THEN 'key ' || n END
    FROM generate_series({first}, {last}) n;
    UPDATE log_end SET last_id = {last};
"""

DRAFTS = """[{
    "sender_id": 1, "recipient_id": null, "text": "a", "key": "new",
    "sent_at": "2026-01-01T00:00:00Z"
}]"""
PROGRESS = '[{"id": 1, "cursor": 5, "last_seen": "2026-01-01T00:00:00Z"}]'


@contextmanager
def grown(url, general, known):
    """A session on a log that has grown, of which the planner knows what it was, or is."""
    Database(url).prepare()
    with Database(url).connect() as connection:
        connection.execute(session_start.BEGIN_SESSION.sql)
        connection.execute(FILL.format(first=1, last=40, general=general).encode())
        if known != "nothing":
            connection.execute("ANALYZE")
        for name, arguments in READS.items():
            sql = next(getattr(m, name) for m in MODULES if hasattr(m, name))
            sql = sql.decode()
            connection.execute(f"PREPARE {name} AS {sql}".encode())
            connection.execute(f"EXECUTE {name} ({arguments})".encode())
        connection.execute("SELECT write_batch(%s, NULL, %s)", (DRAFTS, PROGRESS))
        connection.execute(FILL.format(first=42, last=20000, general=general).encode())
        if known == "all":
            connection.execute("ANALYZE")
        yield connection


@pytest.mark.parametrize("known", ["nothing", "what it was", "all"])
@pytest.mark.parametrize("general", [0, 1, 50, 99, 100])
def test_reading_passes_over_nothing(url, general, known):
    """Whatever the planner knows, each row that is read is found by an index, none in vain."""
    with grown(url, general, known) as connection:
        for name, arguments in READS.items():
            explain = f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE {name} ({arguments})"
            (((plan,),),) = connection.execute(explain.encode()).fetchall()
            for node in nodes_of(plan["Plan"]):
                # The end of the log is one row.
                if (
                    "Scan" in node["Node Type"]
                    and node.get("Relation Name", "log_end") != "log_end"
                ):
                    assert node["Node Type"] != "Seq Scan", (name, node)
                    assert node.get("Filter", "(kind = 0)").startswith(OF_A_KIND), (name, node)
                    # Unread messages are counted up to a hundred.
                    most = 120 if name == "READ_GENERAL_CHAT" else 30
                    assert node["Actual Rows"] <= most, (name, node)


def test_standings_are_found_by_their_index(url):
    """Of many users those few are read who have one."""
    with grown(url, 50, "nothing") as connection:
        connection.execute("UPDATE users SET muted_until = now() WHERE id = 7")
        explain = b"EXPLAIN (ANALYZE, FORMAT JSON) " + moderation.READ_STANDINGS
        (((plan,),),) = connection.execute(explain).fetchall()
        (scan,) = [node for node in nodes_of(plan["Plan"]) if "Relation Name" in node]
        assert (scan["Index Name"], scan["Actual Rows"]) == ("users_with_standing", 1)


def nodes_of(plan):
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes_of(part)


@pytest.mark.parametrize("recipient", ["null", "8"])
@pytest.mark.parametrize("known", ["nothing", "what it was", "all"])
def test_writing_costs_what_is_written(url, known, recipient):
    """A batch is written by index, too, whatever the planner takes the log for."""
    read = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
    with grown(url, 50, known) as connection, connection.transaction():
        ((before,),) = connection.execute(read).fetchall()
        drafts = DRAFTS.replace("new", "newer").replace("null", recipient)
        connection.execute("SELECT write_batch(%s, NULL, %s)", (drafts, PROGRESS))
        mark = {"user_id": 1, "other_id": json.loads(recipient), "message_id": 5}
        marking = chats.MARK_READ.replace(b"$1", b"%s").replace(b"$2", b"0")
        connection.execute(marking, (json.dumps([mark]),))
        ((after,),) = connection.execute(read).fetchall()
        assert after - before < 10
