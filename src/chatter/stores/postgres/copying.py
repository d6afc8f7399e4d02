"""A PostgreSQL database as one side of a copy, see :mod:`chatter.stores.copying`.

All of it blocks.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from psycopg import errors, sql

from chatter.protocol.errors import StoreUnavailable
from chatter.stores.copying import BATCH, TABLES
from chatter.stores.postgres.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chatter.stores.copying import Row

PATIENCE = 2.0
"""So many seconds after a server has stopped its sessions may still be there."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

# Sessions of servers, which have the same name unless the URL gives them another one.
_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND application_name IN ('chatter', current_setting('application_name'))
"""

_LAST_ID_GIVEN = """
    SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('tokens', 'id')::regclass), 0)
"""

# Who is deleted by hand is still the sender of messages.
_LAST_USER_ID = """
    SELECT greatest(
        pg_sequence_last_value(pg_get_serial_sequence('users', 'id')::regclass),
        (SELECT max(id) FROM users),
        (SELECT max(sender_id) FROM log),
        (SELECT max(recipient_id) FROM log),
        0
    )
"""

_COLUMNS = """
    SELECT attname::text, atttypid = 'timestamptz'::regtype FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
"""


class PostgresSide:
    """A PostgreSQL database that no server uses until it is closed.

    :param location: its URL.

    :raises ValueError: if it is none.
    :raises StoreUnavailable: as opening a database does, and if a server uses it.
    """

    def __init__(self, location: str) -> None:
        self._database = Database(location)
        self._connection = self._database.open()
        try:
            with self._database.clear_errors():
                self._connection.set_autocommit(False)
                self._keep_out_servers()
                self._are_times = {
                    table: dict(self._connection.execute(_COLUMNS, [table]).fetchall())
                    for table in TABLES
                }
        except BaseException:
            self._connection.close()
            raise

    def _keep_out_servers(self) -> None:
        in_use = f"{self} is in use: stop its chatter servers."
        try:
            # A server that starts now waits: it looks at the end of the log first.
            self._connection.execute("LOCK TABLE log_end IN ACCESS EXCLUSIVE MODE NOWAIT")
        except errors.LockNotAvailable:
            raise StoreUnavailable(in_use) from None
        # The sessions of a server that has just stopped end a moment later.
        deadline = time.monotonic() + PATIENCE
        while self._value(_OTHERS):
            if time.monotonic() > deadline:
                raise StoreUnavailable(in_use)
            time.sleep(0.05)
            # Within a transaction the same activity is seen until then.
            self._connection.execute("SELECT pg_stat_clear_snapshot()")

    def __str__(self) -> str:
        return f"The database {self._database}"

    def columns(self, table: str) -> list[str]:
        """The columns of a table, by name."""
        return sorted(self._are_times[table])

    def last_id(self) -> int:
        """The id of the newest entry."""
        with self._database.clear_errors():
            return int(self._value("SELECT last_id FROM log_end"))

    def kept_after(self) -> int:
        """Up to which id entries are no longer kept."""
        with self._database.clear_errors():
            return int(self._value("SELECT kept_after FROM log_end"))

    def last_user_id(self) -> int:
        """The largest id that a user has had."""
        with self._database.clear_errors():
            return int(self._value(_LAST_USER_ID))

    def last_token_id(self) -> int:
        """The largest id that a token has had."""
        with self._database.clear_errors():
            return int(self._value(_LAST_ID_GIVEN))

    def count(self, table: str) -> int:
        """How many rows a table has."""
        with self._database.clear_errors():
            return int(self._value(f"SELECT count(*) FROM {table}"))  # noqa: S608

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Row]:
        """All rows of a table."""
        found = sql.SQL("SELECT {} FROM {}").format(
            sql.SQL(", ").join(self._column(table, column) for column in columns),
            sql.Identifier(table),
        )
        # With a name it is a cursor of the server, which sends as much as is fetched.
        with self._database.clear_errors(), self._connection.cursor("copied") as cursor:
            cursor.execute(found)
            while batch := cursor.fetchmany(BATCH):
                yield from batch

    def _column(self, table: str, column: str) -> sql.Composed:
        if self._are_times[table][column]:
            microseconds = sql.SQL("(extract(epoch FROM {}) * 1000000)::bigint")
            return microseconds.format(sql.Identifier(column))
        return sql.Composed([sql.Identifier(column)])

    def fill(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Give a table these rows."""
        name = sql.Identifier(table)
        times = [self._are_times[table][column] for column in columns]
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(
            name, sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with self._database.clear_errors(), self._connection.cursor() as cursor:
            cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
            cursor.execute(sql.SQL("DELETE FROM {}").format(name))
            with cursor.copy(into) as copy:
                for row in rows:
                    copy.write_row(
                        [
                            moment(value) if is_time else value
                            for value, is_time in zip(row, times, strict=True)
                        ]
                    )
            cursor.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(name))

    def end_at(self, last_id: int, kept_after: int, last_user_id: int, last_token_id: int) -> None:
        """Have the next entry, user and token come after those that were given."""
        with self._database.clear_errors():
            # Without an identity it is another log: the first server begins an epoch.
            self._connection.execute(
                "UPDATE log_end SET last_id = %s, kept_after = %s, identity = NULL",
                [last_id, kept_after],
            )
            for table, last in (("users", last_user_id), ("tokens", last_token_id)):
                # A sequence that has given nothing yet can't be set to 0.
                self._connection.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, 'id'), nullif(%s::bigint, 0))",
                    [table, last],
                )

    def commit(self) -> None:
        """Make it durable."""
        with self._database.clear_errors():
            self._connection.commit()

    def close(self) -> None:
        """Let the database go."""
        self._connection.close()

    def _value(self, query: str) -> Any:
        (value,) = self._connection.execute(query.encode()).fetchone() or (None,)
        return value


def moment(value: Any) -> datetime | None:
    """A time of a row that is copied, as PostgreSQL gets it."""
    return None if value is None else _EPOCH + timedelta(microseconds=value)
