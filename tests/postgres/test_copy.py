"""``chatter-admin copy`` from SQLite to PostgreSQL, and back, and from database to database."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import psycopg
import pytest

from chatter.protocol.model import Draft
from chatter.stores.copying import TABLES
from chatter.stores.postgres.database import Database
from chatter.testing.waiting import NOW
from tests.admin.commands import fail, in_thread, succeed
from tests.admin.population import (
    add_a_new_user,
    all_of,
    opened,
    populate,
    read_on,
    revoke_a_new_token,
)
from tests.postgres.server import PASSWORD


@pytest.fixture
def file(tmp_path):
    return f"sqlite:{tmp_path / 'chatter.sqlite'}"


@pytest.fixture
def other_url(postgres):
    with postgres.lent_database() as name:
        yield postgres.url(name)


@pytest.fixture(params=["to PostgreSQL", "to SQLite", "to another PostgreSQL"])
def way(request, url, other_url, file):
    """From where to where."""
    return {
        "to PostgreSQL": (file, url),
        "to SQLite": (url, file),
        "to another PostgreSQL": (url, other_url),
    }[request.param]


async def test_the_copy_has_everything(way):
    """Users, tokens, messages, changes, keys, chats, read marks, cursors."""
    old, new = way
    keys = await populate(old, 7)
    before = await all_of(old, keys)
    said = await in_thread(succeed, "--store", old, "copy", new)
    lines = said.splitlines()
    assert lines[0].partition(" users, ")[2] == lines[1].partition(" users, ")[2]
    assert PASSWORD not in said
    assert await all_of(new, keys) == before


@pytest.mark.parametrize("seed", range(2))
async def test_readers_go_on_in_the_copy(way, seed):
    """Wherever they had stopped, they miss nothing and read nothing twice; no id is given again."""
    old, new = way
    await populate(old, seed)
    for got, whole in await read_on(
        old, new, lambda: in_thread(succeed, "--store", old, "copy", new)
    ):
        assert got == whole


async def test_there_and_back_is_the_same(url, file, tmp_path):
    """Also what no store tells, such as which change is the newest of a message."""
    await populate(file, 3)
    back = f"sqlite:{tmp_path / 'back.sqlite'}"
    there = await in_thread(succeed, "--store", file, "copy", url)
    again = await in_thread(succeed, "--store", url, "copy", back)
    assert there.split()[-1] == again.split()[-1]


async def test_a_server_that_runs_is_not_disturbed(url, file):
    """Neither end may be in use, also if nobody writes just now."""
    await populate(file, 1, sessions=1)
    async with opened(url):
        assert "is in use" in await in_thread(fail, "--store", file, "copy", url)
    await in_thread(succeed, "--store", file, "copy", url)
    async with opened(url):
        assert "is in use" in await in_thread(fail, "--store", url, "copy", file + "2")


async def test_a_chat_that_is_there_is_not_overwritten(url, file):
    """The second copy is refused."""
    await populate(file, 1, sessions=1)
    await in_thread(succeed, "--store", file, "copy", url)
    assert "is not empty" in await in_thread(fail, "--store", file, "copy", url)


async def test_a_database_in_which_a_server_has_run_is_filled(url, file):
    """If it is empty; its epoch is forgotten."""
    keys = await populate(file, 1, sessions=1)
    async with opened(url):
        pass
    await in_thread(succeed, "--store", file, "copy", url)
    assert await all_of(url, keys) == await all_of(file, keys)


async def test_what_is_written_to_the_source_afterwards_is_not_taken_for_read(url, other_url):
    """By mistake its server was started again: its readers have not read that in the copy."""
    await populate(url, 1, sessions=1)
    async with opened(other_url):
        pass
    await in_thread(succeed, "--store", url, "copy", other_url)
    async with opened(url) as old, opened(other_url) as new:
        last_id = await new.last_id()
        for store in (old, new):
            assert (await store.append(Draft(1, None, "new", NOW))).id == last_id + 1
        assert new.lineage.shared(old.lineage.current, last_id + 1) == last_id


async def test_ids_that_were_given_are_not_given_again(way):
    """Also if their entries are not there any more, as after a failover."""
    old, new = way
    await populate(old, 1, sessions=1)
    end = "UPDATE log_end SET last_id = 1000"
    if old.startswith("sqlite:"):
        with closing(sqlite3.connect(old.removeprefix("sqlite:"))) as file, file:
            file.execute(end)
    else:
        with psycopg.connect(old) as connection:
            connection.execute(end)
    await in_thread(succeed, "--store", old, "copy", new)
    async with opened(new) as store:
        assert (await store.append(Draft(1, None, "new", NOW))).id == 1001


async def test_ids_of_revoked_tokens_are_not_given_again(way):
    """Whoever knows the id of one has it mean no other token in the copy."""
    old, new = way
    await populate(old, 1, sessions=1)
    last = await revoke_a_new_token(old)
    await in_thread(succeed, "--store", old, "copy", new)
    assert await revoke_a_new_token(new) == last + 1


async def test_ids_of_deleted_users_are_not_given_again(way):
    """Messages to and from somebody are not somebody else's in the copy."""
    old, new = way
    await populate(old, 1, sessions=1)
    last = await add_a_new_user(old, "last")
    delete = f"DELETE FROM users WHERE id = {last}"
    if old.startswith("sqlite:"):
        with closing(sqlite3.connect(old.removeprefix("sqlite:"))) as file, file:
            file.execute(delete)
    else:
        with psycopg.connect(old) as connection:
            connection.execute(delete.encode())
    await in_thread(succeed, "--store", old, "copy", new)
    assert await add_a_new_user(new, "next") == last + 1


async def test_what_is_no_longer_kept_is_not_in_the_copy(way):
    """Nobody finds it there either."""
    old, new = way
    await populate(old, 1, sessions=1)
    async with opened(old) as store:
        await store.trim(20)
    before = await all_of(old, [])
    await in_thread(succeed, "--store", old, "copy", new)
    assert await all_of(new, []) == before
    assert before["kept_after"] == 20


def test_errors_have_no_password(postgres, file, url):
    """What is wrong with a database is one line."""
    missing = postgres.url("nowhere")
    said = fail("--store", missing, "copy", file)
    assert "does not exist" in said
    assert PASSWORD not in said
    assert "is empty" in fail("--store", url, "copy", file)


async def test_triggers_work_after_it(url, file):
    """A message is in the lists of chats."""
    await populate(file, 1, sessions=1)
    await in_thread(succeed, "--store", file, "copy", url)
    with psycopg.connect(url) as connection:
        triggers = connection.execute("SELECT tgenabled FROM pg_trigger WHERE NOT tgisinternal")
        assert {enabled for (enabled,) in triggers} == {"O"}


def test_every_table_is_copied(url):
    """With the same columns as in SQLite, and in types that are known."""
    Database(url).prepare()
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " JOIN information_schema.tables USING (table_schema, table_name)"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        ).fetchall()
    # What was revoked is not among the tokens, wherever they are copied to.
    own = {"log_end", "chatter_schema", "revocations"}
    assert {table for table, _, _ in rows} == {*TABLES, *own}
    assert {column for table, column, _ in rows if table == "log_end"} == {
        "last_id",
        "identity",
        "kept_after",
    }
    types = {type_ for table, _, type_ in rows if table in TABLES}
    assert types <= {"bigint", "smallint", "text", "bytea", "timestamp with time zone"}
