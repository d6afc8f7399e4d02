"""``chatter-admin copy``, from one SQLite file to another."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from chatter.protocol.errors import StoreUnavailable
from chatter.stores.copying import TABLES, copy
from chatter.stores.sqlite.copying import SQLiteSide
from chatter.stores.sqlite.database import Database
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


@pytest.fixture
def old(tmp_path):
    return f"sqlite:{tmp_path / 'old.sqlite'}"


@pytest.fixture
def new(tmp_path):
    return f"sqlite:{tmp_path / 'new.sqlite'}"


@pytest.mark.parametrize("seed", range(3))
async def test_the_copy_has_everything(old, new, seed):
    """Users, tokens, messages, changes, keys, chats, read marks, cursors."""
    keys = await populate(old, seed)
    before = await all_of(old, keys)
    said = await in_thread(succeed, "--store", old, "copy", new)
    lines = said.splitlines()
    assert lines[0].partition(": ")[2] == lines[1].partition(": ")[2]
    assert await all_of(new, keys) == before


@pytest.mark.parametrize("seed", range(3))
async def test_readers_go_on_in_the_copy(old, new, seed):
    """Wherever they had stopped, they miss nothing and read nothing twice."""
    await populate(old, seed)
    for got, whole in await read_on(
        old, new, lambda: in_thread(succeed, "--store", old, "copy", new)
    ):
        assert got == whole


async def test_a_copy_of_a_copy_is_the_same(old, new, tmp_path):
    """The result as JSON has numbers and checksums of both, which are equal."""
    await populate(old, 1)
    third = f"sqlite:{tmp_path / 'third.sqlite'}"
    first = json.loads(await in_thread(succeed, "--store", old, "copy", "--json", new))
    second = json.loads(await in_thread(succeed, "--store", new, "copy", "--json", third))
    assert first["from"] == {**first["to"], "store": old}
    assert second["to"] == {**first["to"], "store": third}
    assert set(first["to"]["rows"]) == set(TABLES)
    (path,) = paths(new)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_server_that_runs_is_not_disturbed(old, new):
    """Neither end may be in use."""
    await populate(old, 1, sessions=1)
    async with opened(old):
        assert "is in use" in await in_thread(fail, "--store", old, "copy", new)
    assert not paths(new)[0].exists()
    async with opened(new):
        assert "is in use" in await in_thread(fail, "--store", old, "copy", new)
    await in_thread(succeed, "--store", old, "copy", new)


async def test_a_chat_that_is_there_is_not_overwritten(old, new):
    """Not even one in which there are only users."""
    await populate(old, 1, sessions=1)
    async with opened(new) as store:
        await store.add_user("alice", None, 0, NOW)
    before = await all_of(new, [])
    assert "is not empty" in await in_thread(fail, "--store", old, "copy", new)
    assert await all_of(new, []) == before


def test_what_cannot_be_copied_is_said(old, new, tmp_path):
    """Nothing, an empty chat, another program's file, a store in memory, no store at all."""
    path = tmp_path / "old.sqlite"
    assert fail("--store", old, "copy", new) == f"There is no database {path}."
    Database(path).close()
    assert "is empty" in fail("--store", old, "copy", new)
    other = tmp_path / "other"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    assert "is not chatter's" in fail("--store", f"sqlite:{other}", "copy", new)
    assert "can't be copied" in fail("--store", "memory:", "copy", new)
    assert "There is no store" in fail("--store", "there:", "copy", new)
    assert not (tmp_path / "new.sqlite").exists()


class Cut(SQLiteSide):
    """A source that fails in the middle of the log."""

    def rows(self, table, columns):
        for number, row in enumerate(super().rows(table, columns)):
            if table == "log" and number == 5:
                raise StoreUnavailable("The disk is gone.")
            yield row


class Forgetful(SQLiteSide):
    """A target that loses what it is given."""

    def fill(self, table, columns, rows):
        super().fill(table, columns, list(rows)[: 1 if table == "log" else None])


def ignore(passed, total):
    pass


def paths(*locations):
    return [Path(location.removeprefix("sqlite:")) for location in locations]


async def test_a_copy_that_fails_leaves_nothing(old, new):
    """The target is not there, or as empty as before; another attempt succeeds."""
    await populate(old, 1, sessions=1)
    source_path, target_path = paths(old, new)
    for _ in range(2):
        with (
            pytest.raises(StoreUnavailable),
            closing(Cut(source_path)) as source,
            closing(SQLiteSide(target_path)) as target,
        ):
            copy(source, target, ignore)
        assert not target_path.exists()
    await in_thread(succeed, "--store", old, "copy", new)


async def test_a_copy_that_differs_is_not_kept(old, new):
    """Both ends are compared before the commit."""
    await populate(old, 1, sessions=1)
    source_path, target_path = paths(old, new)
    with (
        pytest.raises(StoreUnavailable) as raised,
        closing(SQLiteSide(source_path)) as source,
        closing(Forgetful(target_path)) as target,
    ):
        copy(source, target, ignore)
    assert "has not become" in raised.value.detail
    assert not target_path.exists()


SLOWLY = """
import time
from chatter.admin import main
from chatter.stores.sqlite import copying
rows = copying.SQLiteSide.rows
def slowly(self, table, columns):
    for number, row in enumerate(rows(self, table, columns)):
        if table == "log" and number == 5:
            print("here", flush=True)
            time.sleep(60)
        yield row
copying.SQLiteSide.rows = slowly
main.main()
"""


def interrupt(number, *words):
    """Send a signal in the middle of the log; what the command says."""
    command = [sys.executable, "-c", SLOWLY, *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    return process.returncode, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_copy_that_is_interrupted_leaves_nothing(old, new, number):
    """It says so, and can be made again."""
    await populate(old, 1, sessions=1)
    outcome = await in_thread(interrupt, number, "--store", old, "copy", new)
    assert outcome == (130, "chatter-admin copy: interrupted.\n")
    assert not paths(new)[0].exists()
    await in_thread(succeed, "--store", old, "copy", new)


async def test_a_copy_that_is_killed_can_be_made_again(old, new):
    """What was written is no chat yet."""
    keys = await populate(old, 1, sessions=1)
    before = await all_of(old, keys)
    await in_thread(interrupt, signal.SIGKILL, "--store", old, "copy", new)
    await in_thread(succeed, "--store", old, "copy", new)
    assert await all_of(new, keys) == before


def test_every_table_is_copied(tmp_path):
    """A table or a column of the log's end that is new needs a thought here."""
    path = tmp_path / "chatter.sqlite"
    Database(path).close()
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        assert {name for (name,) in tables} == {
            *(*TABLES, "log_end", "users_end", "sqlite_sequence")
        }
        columns = connection.execute("SELECT name FROM pragma_table_info('log_end')").fetchall()
        assert columns == [("last_id",), ("kept_after",)]


async def test_what_is_no_longer_kept_is_not_in_the_copy(old, new):
    """Nobody finds it there either, whatever of it was not yet deleted."""
    await populate(old, 1, sessions=1)
    async with opened(old) as store:
        last_id = await store.last_id()
        await store.trim(last_id // 2)
    before = await all_of(old, [])
    await in_thread(succeed, "--store", old, "copy", new)
    assert await all_of(new, []) == before
    assert before["kept_after"] == last_id // 2
    assert before["feed 1"][0].id > last_id // 2


async def test_ids_of_revoked_tokens_are_not_given_again(old, new):
    """Whoever knows the id of one has it mean no other token in the copy."""
    await populate(old, 1, sessions=1)
    last = await revoke_a_new_token(old)
    await in_thread(succeed, "--store", old, "copy", new)
    assert await revoke_a_new_token(new) == last + 1


async def test_ids_of_deleted_users_are_not_given_again(old, new):
    """Messages to and from somebody are not somebody else's in the copy."""
    await populate(old, 1, sessions=1)
    last = await add_a_new_user(old, "last")
    (path,) = paths(old)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM users WHERE id = ?", (last,))
    await in_thread(succeed, "--store", old, "copy", new)
    assert await add_a_new_user(new, "next") == last + 1


async def test_triggers_are_there_after_it(old, new):
    """What follows from a row follows again."""
    await populate(old, 1, sessions=1)
    await in_thread(succeed, "--store", old, "copy", new)
    triggers = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name"
    found = []
    for path in paths(old, new):
        with closing(sqlite3.connect(path)) as connection:
            found.append(connection.execute(triggers).fetchall())
    assert found[0] == found[1] != []


async def test_progress_is_shown_on_a_terminal(old, new):
    """One line, which is gone at the end."""
    await populate(old, 1, sessions=1)

    def on_a_terminal():
        ours, theirs = os.openpty()
        code = "from chatter.admin.main import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", code, "--store", old, "copy", new],
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=theirs,
            timeout=60,
        )
        os.close(theirs)
        said = os.read(ours, 65536).decode()
        os.close(ours)
        assert done.returncode == 0
        return said

    said = await in_thread(on_a_terminal)
    shares = [int(share) for share in re.findall(r"\r\x1b\[K\[#* *\] +(\d+)%", said)]
    assert shares == sorted(shares)
    assert 0 < shares[0] < 50 < shares[-1] == 100
    assert said.endswith("\r\x1b[K")
    assert "\n" not in said
