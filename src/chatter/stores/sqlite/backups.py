"""Backups of a SQLite file: one made while a server serves, and one put in the file's place.

All of it blocks.
"""

from __future__ import annotations

import glob
import os
import shutil
import sqlite3
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from chatter.protocol.errors import StoreUnavailable
from chatter.stores.sqlite.database import (
    LOCK_WAIT,
    check_owner,
    clear_errors,
    held,
    schema_scripts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = ("", "-wal", "-shm")
"""What the names of a database's files end with."""


class Summary(NamedTuple):
    """How much a database has.

    :ivar entries: messages and changes.
    """

    users: int
    entries: int


class Restored(NamedTuple):
    """What was put in place.

    :ivar aside: where the database is now that was there before; ``None`` if none was.
    """

    summary: Summary
    aside: Path | None


def back_up(path: Path, backup: Path) -> Summary:
    """Copy a database as it is at one moment; a server may have it meanwhile.

    :param backup: the copy, which only its owner may read.  It is there once it is whole
        and on the disk.
    :raises StoreUnavailable: if the database can't be read, is not chatter's or is damaged,
        or the copy is there already or can't be written.
    """
    with clear_errors(path):
        _must_be_file(path)
    with _reserved(backup), _copied(path, backup) as (copy, summary):
        copy.replace(backup)
    with clear_errors(backup):
        _sync(backup.parent)
    return summary


def restore(backup: Path, path: Path) -> Restored:
    """Put a copy of a backup in the place of a database, which is kept under another name.

    :raises StoreUnavailable: if the backup can't be read, is not chatter's, is damaged or of
        a newer chatter; or a server has the database, or it can't be replaced.
    """
    with clear_errors(backup):
        _must_be_file(backup)
    with clear_errors(path):
        path = path.resolve()
        path.parent.resolve(strict=True)
        if path.exists() and path.samefile(backup):
            raise StoreUnavailable(f"{backup} is the database itself.")
    with held(path), _copied(backup, path) as (copy, summary), clear_errors(path):
        if path.exists():
            _give_to_owner(copy, path.stat())
            _unlink_others(path)
        aside = _set_aside(path, copy.parent)
        copy.replace(path)
        _sync(path.parent)
        return Restored(summary, aside)


@contextmanager
def _copied(path: Path, target: Path) -> Iterator[tuple[Path, Summary]]:
    """A whole copy of a database, on the disk of the target, until it is moved there."""
    with clear_errors(target):
        folder = TemporaryDirectory(prefix=f"{target.name}.", dir=target.parent)
    with folder as name:
        copy = Path(name, "copy")
        with clear_errors(copy):
            copy.touch(mode=0o600)
        with clear_errors(path), closing(_opened(path)) as connection:
            _check_ours(connection, path)
            connection.execute("VACUUM INTO ?", (str(copy),))
        with clear_errors(path), closing(sqlite3.connect(copy)) as connection:
            summary = _checked(connection, path)
        with clear_errors(copy):
            _sync(copy)
        yield copy, summary


def _opened(path: Path) -> sqlite3.Connection:
    """The file, with what is in its write-ahead log; it is not made if it is missing."""
    # Not mode=ro: the last one to close a file could not remove the log then.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", timeout=LOCK_WAIT, isolation_level=None, uri=True
    )


def _check_ours(connection: sqlite3.Connection, path: Path) -> None:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    check_owner(path, application_id, version, 1, len(schema_scripts()))


def _checked(connection: sqlite3.Connection, path: Path) -> Summary:
    """What a copy has that is whole; ``path`` is what it is a copy of."""
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise StoreUnavailable(f"The database {path} is damaged: {' '.join(found.split())}.")
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")]
    log = "log" if "log" in tables else "messages"  # of an earlier version
    (users,) = connection.execute("SELECT count(*) FROM users").fetchone()
    (rows,) = connection.execute(f"SELECT count(*) FROM {log}").fetchone()  # noqa: S608
    return Summary(users, rows)


@contextmanager
def _reserved(file: Path) -> Iterator[None]:
    """Make a file that must not be there yet; it is removed again if the block fails."""
    with clear_errors(file):
        try:
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            raise StoreUnavailable(f"{file} is there already.") from None
    try:
        yield
    except BaseException:
        file.unlink()
        raise


def _unlink_others(path: Path) -> None:
    """Take the other names from a database that has them since a restore was killed.

    Whoever opens it by one of them has another lock and another write-ahead log.  A name that
    has such a log stays with it.
    """
    for other in path.parent.glob(f"{glob.escape(path.name)}.old-*"):
        has_log = Path(f"{other}-wal").exists()
        if other.exists() and other.samefile(path) and not has_log:
            other.unlink()


def _set_aside(path: Path, folder: Path) -> Path | None:
    """Give a database another name, beside its own, which the next one may take in one step.

    So it is in its place, whenever this process may end.

    :param folder: of the same disk, for what is not whole yet.
    """
    with suppress(sqlite3.Error), closing(_opened(path)) as connection:
        # What is in the write-ahead log comes into the file, and the last one to close removes it.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if not any(os.path.lexists(f"{path}{suffix}") for suffix in SUFFIXES):
        return None
    number = 1
    while any(os.path.lexists(f"{path}.old-{number}{suffix}") for suffix in SUFFIXES):
        number += 1
    aside = path.with_name(f"{path.name}.old-{number}")
    if path.exists():
        try:
            aside.hardlink_to(path)
        except OSError:  # the file system has no links
            copy = folder / "aside"
            shutil.copy2(path, copy)
            _give_to_owner(copy, path.stat())
            _sync(copy)
            copy.rename(aside)
    for suffix in SUFFIXES[1:]:
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
    return aside


def _give_to_owner(copy: Path, status: os.stat_result) -> None:
    """Give a copy the owner of the database that it replaces."""
    if status.st_uid != os.geteuid():
        os.chown(copy, status.st_uid, status.st_gid)


def _must_be_file(path: Path) -> None:
    if not path.is_file():
        raise StoreUnavailable(f"There is no file {path}.")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
