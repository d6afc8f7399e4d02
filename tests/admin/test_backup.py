"""``chatter-admin backup`` and ``restore``."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.model import Draft
from chatter.stores.sqlite import backups, database
from chatter.testing.waiting import NOW
from tests.admin.commands import fail, in_thread, succeed
from tests.admin.population import all_of, opened, populate

VERSION_1 = Path(__file__).parents[1] / "stores/version_1.sql"


@pytest.fixture
def path(tmp_path):
    folder = tmp_path / "store"
    folder.mkdir()
    return folder / "chatter.sqlite"


@pytest.fixture
def store(path):
    return f"sqlite:{path}"


@pytest.fixture
def backup(tmp_path):
    return tmp_path / "backup.sqlite"


def files(path):
    """What is in its folder, without locks."""
    return sorted(file.name for file in path.parent.iterdir() if file.suffix != ".lock")


def as_after_a_crash(path, crashed):
    """Copy the files of a database that is in use."""
    for suffix in ("", "-wal"):
        Path(f"{crashed}{suffix}").write_bytes(Path(f"{path}{suffix}").read_bytes())


async def test_a_backup_is_made_while_a_server_serves(store, path, backup):
    """It has all that was acknowledged before, and the server goes on writing."""
    keys = await populate(store, 1)
    before = await all_of(store, keys)
    async with opened(store) as serving:
        said = await in_thread(succeed, "--store", store, "backup", backup)
        await serving.append(Draft(1, None, "later", NOW))
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert files(backup) == ["backup.sqlite", "store"]
    assert files(path) == [path.name]
    assert said.startswith(f"{backup}: 5 users, ")
    assert (await all_of(f"sqlite:{backup}", keys)) == before


async def test_what_is_only_in_the_write_ahead_log_is_in_the_backup(store, path, backup):
    """The last message, too."""
    async with opened(store) as serving:
        await serving.add_user("alice", None, 0, NOW)
        await serving.append(Draft(1, None, "new", NOW))
        result = json.loads(await in_thread(succeed, "--store", store, "backup", "--json", backup))
    assert result == {"file": str(backup), "users": 1, "entries": 1}


async def test_a_backup_is_restored(store, path, backup):
    """The server has what was there then; what was there later is kept beside it."""
    keys = await populate(store, 1)
    before = await all_of(store, keys)
    await in_thread(succeed, "--store", store, "backup", backup)
    async with opened(store) as serving:
        later = await serving.append(Draft(1, None, "later", NOW))
    said = await in_thread(succeed, "--store", store, "restore", backup)
    aside = path.with_name("chatter.sqlite.old-1")
    assert said.endswith(f"\nWhat was there before is now {aside}.\n")
    assert files(path) == [path.name, aside.name]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert await all_of(store, keys) == before
    async with opened(f"sqlite:{aside}") as old:
        assert await old.read_message(later.id) == later
    async with opened(store) as serving:
        assert (await serving.append(Draft(1, None, "new", NOW))).id == later.id
    result = json.loads(await in_thread(succeed, "--store", store, "restore", "--json", backup))
    assert result["aside"] == f"{path}.old-2"


async def test_a_database_that_was_not_closed_is_moved_with_its_log(store, path, backup):
    """After a crash the newest messages are in the write-ahead log; they stay with the file."""
    await populate(store, 1)
    await in_thread(succeed, "--store", store, "backup", backup)
    crashed = path.with_name("crashed.sqlite")
    async with opened(store) as serving:
        later = await serving.append(Draft(1, None, "later", NOW))
        as_after_a_crash(path, crashed)
    await in_thread(succeed, "--store", f"sqlite:{crashed}", "restore", backup)
    assert f"{crashed.name}-wal" not in files(crashed)
    async with opened(f"sqlite:{crashed}.old-1") as old:
        assert await old.read_message(later.id) == later


@pytest.mark.parametrize("has_links", [True, False])
async def test_a_restore_that_ends_midway_leaves_the_database(
    store, path, backup, monkeypatch, has_links
):
    """All that it had, also in its write-ahead log, under both names; then it can be restored."""
    crashed = path.with_name("crashed.sqlite")
    async with opened(store) as serving:
        await serving.add_user("alice", None, 0, NOW)
        backups.back_up(path, backup)
        later = await serving.append(Draft(1, None, "later", NOW))
        as_after_a_crash(path, crashed)

    def ended(*_: object) -> None:
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", ended)
        if not has_links:
            patched.setattr(Path, "hardlink_to", ended)
        with pytest.raises(StoreUnavailable):
            backups.restore(backup, crashed)
    assert files(crashed) == ["chatter.sqlite", crashed.name, f"{crashed.name}.old-1"]
    for there in (crashed, f"{crashed}.old-1"):
        async with opened(f"sqlite:{there}") as old:
            assert await old.read_message(later.id) == later
    number = 1 if has_links else 2
    aside = path.with_name(f"crashed.sqlite.old-{number}")
    assert backups.restore(backup, crashed).aside == aside


def test_a_restore_that_was_killed_midway_is_done_again(store, path, backup):
    """It left one file under two names, which two could open as two databases: one name goes."""
    database.Database(path).close()
    backups.back_up(path, backup)
    before = path.stat().st_ino
    other = path.with_name("chatter.sqlite.old-1")
    other.write_bytes(path.read_bytes())
    path.with_name("chatter.sqlite.old-2").hardlink_to(path)
    path.with_name("chatter.sqlite.old-3").symlink_to("nowhere")
    with_log = path.with_name("chatter.sqlite.old-4")
    with_log.hardlink_to(path)
    Path(f"{with_log}-wal").touch()
    aside = path.with_name("chatter.sqlite.old-2")
    assert backups.restore(backup, path).aside == aside
    assert aside.stat().st_ino == before
    assert aside.stat().st_nlink == 2
    names = [f"{path.name}.old-{number}" for number in (1, 2, 3, 4, "4-wal")]
    assert files(path) == [path.name, *names]


@pytest.mark.parametrize("ends", [False, True])
def test_without_links_a_whole_copy_is_kept(store, path, backup, monkeypatch, ends):
    """It has its name once it is on the disk; a restore that ends before leaves nothing."""
    database.Database(path).close()
    backups.back_up(path, backup)
    aside = path.with_name("chatter.sqlite.old-1")
    synced: list[os.stat_result] = []

    def no_links(*_: object) -> None:
        raise PermissionError

    def copy(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[: -1 if ends else None])
        assert not aside.exists()
        if ends:
            raise OSError(28, "No space left on device")

    def sync(synced_path: Path) -> None:
        synced.append(synced_path.stat())

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    monkeypatch.setattr(shutil, "copy2", copy)
    monkeypatch.setattr(backups, "_sync", sync)
    if ends:
        with pytest.raises(StoreUnavailable, match="No space left"):
            backups.restore(backup, path)
        assert files(path) == [path.name]
    else:
        assert backups.restore(backup, path).aside == aside
        assert aside.stat().st_ino in [status.st_ino for status in synced]


async def test_a_backup_is_restored_where_nothing_is(store, path, backup):
    """Also one of an earlier version, which the server brings up to date."""
    with closing(sqlite3.connect(backup)) as connection:
        connection.executescript(VERSION_1.read_text())
    said = await in_thread(succeed, "--store", store, "restore", backup)
    assert said == f"{path}: 3 users, 3 entries of the log.\n"
    async with opened(store) as serving:
        assert await serving.last_id() == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_what_is_restored_belongs_to_the_same_user(store, path, backup):
    """Else the server could not open it after root has restored it."""
    database.Database(path).close()
    succeed("--store", store, "backup", backup)
    os.chown(path, 65534, 65534)
    succeed("--store", store, "restore", backup)
    status = path.stat()
    assert (status.st_uid, status.st_gid) == (65534, 65534)


async def test_nothing_is_overwritten(store, path, backup):
    """Not a backup, not the database of a running server, not the backup by itself."""
    await populate(store, 1, sessions=1)
    backup.write_text("precious")
    assert fail("--store", store, "backup", backup) == f"{backup} is there already."
    assert backup.read_text() == "precious"
    backup.unlink()
    await in_thread(succeed, "--store", store, "backup", backup)
    async with opened(store):
        before = path.stat().st_ino
        assert "is in use" in await in_thread(fail, "--store", store, "restore", backup)
        assert path.stat().st_ino == before
    assert "is the database itself" in fail("--store", store, "restore", path)
    assert files(path) == [path.name]


async def test_what_is_no_whole_backup_is_not_restored(store, path, backup):
    """Nothing, no database, another one's, a newer one's, a damaged one; all stays in place."""
    await populate(store, 1)
    before = path.read_bytes()
    assert "There is no file" in fail("--store", store, "restore", backup)
    backup.write_text("precious")
    assert "file is not a database" in fail("--store", store, "restore", backup)
    backup.write_bytes(b"")
    assert "is not chatter's" in fail("--store", store, "restore", backup)
    backup.unlink()
    succeed("--store", store, "backup", backup)
    whole = backup.read_bytes()
    backup.write_bytes(whole[: len(whole) // 2])
    assert "malformed" in fail("--store", store, "restore", backup)
    with_a_hole = bytearray(whole)
    with_a_hole[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    backup.write_bytes(bytes(with_a_hole))
    assert str(backup) in fail("--store", store, "restore", backup)
    backup.write_bytes(whole)
    for pragma, why in ("user_version = 999", "newer"), ("application_id = 7", "not chatter's"):
        with closing(sqlite3.connect(backup)) as connection:
            connection.execute(f"PRAGMA {pragma}")
        assert why in fail("--store", store, "restore", backup)
    assert path.read_bytes() == before
    assert files(path) == [path.name]


def test_an_index_that_lacks_a_row_is_noticed(store, path, backup):
    """What can be copied may still be damaged."""
    database.Database(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "INSERT INTO users (name, folded_name, cursor, last_seen) VALUES ('a', 'a', 0, 0);"
            "PRAGMA writable_schema = ON;"
            "UPDATE sqlite_schema SET sql = replace(sql, 'name TEXT NOT NULL',"
            " 'name TEXT NOT NULL CHECK (name <> ''a'')') WHERE name = 'users';"
        )
    assert "is damaged" in fail("--store", store, "backup", backup)
    assert files(backup) == ["store"]


def test_what_has_no_file_is_said(store, path, backup, tmp_path):
    """PostgreSQL has its own tools; a folder that is missing is misspelt."""
    url = "postgresql://somebody:secret@localhost/chat"
    assert "pg_dump" in fail("--store", url, "backup", backup)
    assert "pg_restore" in fail("--store", url, "restore", backup)
    assert "no database on a disk" in fail("--store", "memory:", "backup", backup)
    assert "There is no file" in fail("--store", store, "backup", backup)
    database.Database(path).close()
    assert "No such file" in fail("--store", store, "backup", tmp_path / "nowhere" / "backup")
    succeed("--store", store, "backup", backup)
    assert "No such file" in fail("--store", f"sqlite:{tmp_path}/nowhere/store", "restore", backup)
    assert files(backup) == ["backup.sqlite", "store"]
