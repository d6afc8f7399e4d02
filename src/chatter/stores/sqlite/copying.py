"""A SQLite file as one side of a copy, see :mod:`chatter.stores.copying`.  All of it blocks."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from chatter.protocol.errors import StoreUnavailable
from chatter.stores.copying import BATCH
from chatter.stores.sqlite import entries, trimming
from chatter.stores.sqlite.database import Database, clear_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from chatter.stores.copying import Row


# Who is deleted by hand is still the sender of messages.
_LAST_USER_ID = """
    SELECT max(
        (SELECT last_id FROM users_end),
        coalesce((SELECT max(id) FROM users), 0),
        coalesce((SELECT max(sender_id) FROM log), 0),
        coalesce((SELECT max(recipient_id) FROM log), 0)
    )
"""


class SQLiteSide:
    """A SQLite file that nobody else has until it is closed.

    :param path: the file; it is made if it is missing, and removed again if nothing is
        committed.

    :raises StoreUnavailable: as :class:`chatter.stores.sqlite.database.Database` does.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_unwanted = not path.exists()
        self._database = Database(path)
        try:
            with clear_errors(path):
                self._connection = self._database.connect()
                self._connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._database.close()
            raise

    @classmethod
    def existing(cls, path: Path) -> SQLiteSide:
        """One that is there already.

        :raises StoreUnavailable: if it is not, too.
        """
        if not path.exists():
            raise StoreUnavailable(f"There is no database {path}.")
        return cls(path)

    def __str__(self) -> str:
        return f"The database {self._path}"

    def columns(self, table: str) -> list[str]:
        """The columns of a table, by name."""
        with clear_errors(self._path):
            found = self._connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
            return sorted(name for (name,) in found)

    def last_id(self) -> int:
        """The id of the newest entry."""
        with clear_errors(self._path):
            return entries.last_id(self._connection)

    def kept_after(self) -> int:
        """Up to which id entries are no longer kept."""
        with clear_errors(self._path):
            return trimming.kept_after(self._connection)

    def last_user_id(self) -> int:
        """The largest id that a user has had."""
        with clear_errors(self._path):
            return int(self._connection.execute(_LAST_USER_ID).fetchone()[0])

    def last_token_id(self) -> int:
        """The largest id that a token has had."""
        last = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'tokens'"
        with clear_errors(self._path):
            return int(self._connection.execute(last).fetchone()[0])

    def count(self, table: str) -> int:
        """How many rows a table has."""
        count = f"SELECT count(*) FROM {table}"  # noqa: S608
        with clear_errors(self._path):
            return int(self._connection.execute(count).fetchone()[0])

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Row]:
        """All rows of a table."""
        with clear_errors(self._path):
            found = self._connection.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608
            while batch := found.fetchmany(BATCH):
                yield from batch

    def fill(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Give a table these rows."""
        marks = ", ".join("?" * len(columns))
        insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
        with clear_errors(self._path):
            triggers = self._connection.execute(
                "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?",
                (table,),
            ).fetchall()
            for name, _ in triggers:
                self._connection.execute(f"DROP TRIGGER {name}")
            self._connection.execute(f"DELETE FROM {table}")  # noqa: S608
            self._connection.executemany(insert, rows)
            for _, definition in triggers:
                self._connection.execute(definition)

    def end_at(self, last_id: int, kept_after: int, last_user_id: int, last_token_id: int) -> None:
        """Have the next entry, user and token come after those that were given."""
        end = "UPDATE log_end SET last_id = ?, kept_after = ?"
        with clear_errors(self._path):
            self._connection.execute(end, (last_id, kept_after))
            self._connection.execute("UPDATE users_end SET last_id = ?", (last_user_id,))
            self._connection.execute("DELETE FROM sqlite_sequence WHERE name = 'tokens'")
            self._connection.execute(
                "INSERT INTO sqlite_sequence (name, seq) VALUES ('tokens', ?)", (last_token_id,)
            )

    def commit(self) -> None:
        """Make it durable."""
        with clear_errors(self._path):
            self._connection.execute("COMMIT")
        self._is_unwanted = False

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()
        if self._is_unwanted:
            with suppress(OSError):
                self._path.unlink()
        self._database.close()
