"""Opening a SQLite file as ours: the lock, the pragmas, the schema's version.

All of it blocks.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from contextlib import closing, contextmanager
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from chatter.protocol import names
from chatter.protocol.errors import StoreUnavailable
from chatter.system_errors import reason_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APPLICATION_ID = 0x63686174
"""``chat`` in ASCII: marks a SQLite file as ours (``PRAGMA application_id``)."""

LOCK_WAIT = 1.5
"""For so many seconds another program's lock on the database is waited out.

A server whose database is locked must still stop within five seconds, and fail requests
in time: those that came during one such wait fail at its end, all together.
"""


_MAGIC = b"SQLite format 3\0"

# Of https://sqlite.org/fileformat.html: how often the schema was changed, the version that
# the application has given it, and whose file it is.
_HEADER = struct.Struct(">40sI16xI4xI28x")


@cache
def schema_scripts() -> list[str]:
    """The SQL that leads from each version of the schema to the next, from 0 on."""
    files = resources.files("chatter.stores.sqlite.schema").iterdir()
    scripts = sorted((file for file in files if file.name.endswith(".sql")), key=lambda f: f.name)
    return [script.read_text("utf-8") for script in scripts]


# Read now: the server may have another root and another user when it opens the store.
schema_scripts()


@contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say into one line that names the file."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable(f"The database {path} can't be used: {reason_of(error)}.") from error


def check(path: Path) -> None:
    """See whether a file can be ours, and make nothing.

    :raises StoreUnavailable: as opening it does, as far as that can be known without.
    """
    path = path.absolute()
    with clear_errors(path):
        folder = path.parent.resolve(strict=True)
        real = path.resolve()
        lock = real.with_name(f"{real.name}.lock")
        if lock.exists():
            held = _lock_of(path)
            _acquire(held, path)
            held.release()
        if real.exists():
            _check_header(real, path)
        elif not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(f"no file can be made in {folder}")


def _check_header(real: Path, path: Path) -> None:
    """Look at the file as it was when its write-ahead log was last emptied."""
    with real.open("r+b") as file:
        header = file.read(_HEADER.size)
    if not header:
        return
    if len(header) < _HEADER.size or not header.startswith(_MAGIC):
        raise StoreUnavailable(f"The database {path} can't be used: file is not a database.")
    _, changes, version, application_id = _HEADER.unpack(header)
    check_owner(path, application_id, version, changes, len(schema_scripts()))


def check_owner(path: Path, application_id: int, version: int, objects: int, known: int) -> None:
    """See that a database is ours, or empty, and not of a newer chatter.

    :param objects: how many tables and indexes it has, or how often that has changed.
    :param known: the newest version of the schema that is known.
    :raises StoreUnavailable: if not.
    """
    if application_id != APPLICATION_ID and (application_id or version or objects):
        raise StoreUnavailable(f"The database {path} is not chatter's.")
    if version > known:
        raise StoreUnavailable(
            f"The database {path} has schema {version}, this chatter knows "
            f"{known}: it was used by a newer one."
        )


def _lock_of(path: Path) -> FileLock:
    # Not thread-local: another thread may close it than the one that opened it.
    return FileLock(f"{path.resolve()}.lock", timeout=0, mode=0o600, thread_local=False)


def _acquire(lock: FileLock, path: Path) -> None:
    try:
        lock.acquire()
    except Timeout:
        raise StoreUnavailable(f"The database {path} is in use by another chatter.") from None


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Have a file, or the place of one that is missing, as a server has it.

    :raises StoreUnavailable: if another chatter has it.
    """
    lock = _lock_of(path)
    with clear_errors(path):
        _acquire(lock, path)
    try:
        yield
    finally:
        lock.release()


class Database:
    """A SQLite file that belongs to this process until it is closed.

    :param path: the file; it is made, readable by its owner only, if it is missing.
    :param scripts: the schema, as :func:`schema_scripts` returns it.

    :raises StoreUnavailable: if another chatter has it, it is not ours, its
        schema is newer than the code, or it can't be opened.
    """

    def __init__(self, path: Path, scripts: list[str] | None = None) -> None:
        self.path = path.absolute()
        self._lock = _lock_of(self.path)
        self._files: dict[Path, tuple[int, int]] = {}
        with clear_errors(self.path):
            # A folder that is missing is rather misspelt than wanted.
            self.path.parent.resolve(strict=True)
            _acquire(self._lock, self.path)
        try:
            with clear_errors(self.path):
                self.path.touch(mode=0o600)
                with closing(self.connect()) as connection:
                    self._prepare(connection, schema_scripts() if scripts is None else scripts)
        except BaseException:
            self._lock.release()
            raise

    def connect(self) -> sqlite3.Connection:
        """A connection that any one thread at a time may use, in autocommit mode."""
        connection = sqlite3.connect(
            self.path, timeout=LOCK_WAIT, isolation_level=None, check_same_thread=False
        )
        try:
            # FULL: an acknowledged message survives a loss of power, not only a crash.
            connection.execute("PRAGMA synchronous = FULL")
            # A text that was withdrawn is overwritten.
            connection.execute("PRAGMA secure_delete = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def watch_files(self) -> None:
        """Note which files are in place: those that the connections have open."""
        path = self.path.resolve()
        log = path.with_name(f"{path.name}-wal")
        self._files = {file: _identity(file.stat()) for file in (path, log)}

    def check_files(self) -> None:
        """See that the files are still those that were in place.

        :raises StoreUnavailable: if one was deleted or replaced, or the database emptied.  What
            is written now would be gone with the next restart.
        """
        for file, identity in self._files.items():
            try:
                status = os.stat(file)  # noqa: PTH116 - it is half as fast through a Path
            except OSError as error:
                raise StoreUnavailable(f"{file} can't be found any more") from error
            if _identity(status) != identity:
                raise StoreUnavailable(f"{file} was replaced while it was in use")
            # A write-ahead log may be empty.
            if not status.st_size and file == self.path.resolve():
                raise StoreUnavailable(f"{file} was emptied while it was in use")

    def close(self) -> None:
        """Give the file back.  All its connections must be closed."""
        self._lock.release()

    def _prepare(self, connection: sqlite3.Connection, scripts: list[str]) -> None:
        (application_id,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (objects,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        check_owner(self.path, application_id, version, objects, len(scripts))
        connection.create_function("fold", 1, names.fold, deterministic=True)
        # Write-ahead logging: readers and the writer don't wait for each other.
        connection.execute("PRAGMA journal_mode = WAL")
        for number, script in enumerate(scripts[version:], version + 1):
            connection.executescript(
                f"BEGIN IMMEDIATE; {script}\n;"
                f"PRAGMA application_id = {APPLICATION_ID};"
                f"PRAGMA user_version = {number}; COMMIT;"
            )


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
