"""Opening a PostgreSQL database as ours: the connection, the schema's version.

All of it blocks.
"""

from __future__ import annotations

import os
import re
import socket
import threading
from contextlib import closing, contextmanager, suppress
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from twisted.logger import Logger

from chatter.protocol import names
from chatter.protocol.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA_LOCK = 0x63686174
"""``chat`` in ASCII: the advisory lock under which the schema is made and changed."""

PATIENCE = 10.0
"""The first queries of a connection have so many seconds."""

LOCK_ATTEMPTS = 50
"""So often a script of the schema is begun anew when it can't get its locks."""

# Running nodes hold locks for moments only.  PostgreSQL looks for deadlocks after a second.
_LOCK_TIMEOUT = "800ms"

# Errors at connecting with one of these will not pass by themselves, whatever is named in them.
_NEVER = re.compile(
    r"password|authentication failed|pg_hba|permission denied|does not exist|\binvalid "
)
_NAMED = re.compile(r"\"[^\"]*\"|'[^']*'")

FOLDED_ANEW = 2
"""With this version of the schema names are folded in another way than before."""

_OURS = [
    *("chatter_schema", "users", "messages", "log", "log_end", "chats", "tokens"),
    *("reports", "address_bans"),
]

_DEFAULTS: dict[str, Any] = {
    "fallback_application_name": "chatter",
    # Of several servers the one that is not a standby; and one that is away shall not
    # be waited for until the kernel has had enough.
    "target_session_attrs": "read-write",
    "connect_timeout": 2,
    "tcp_user_timeout": 4000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}


@cache
def schema_scripts() -> list[str]:
    """The SQL that leads from each version of the schema to the next, from 0 on."""
    files = resources.files("chatter.stores.postgres.schema").iterdir()
    scripts = sorted((file for file in files if file.name.endswith(".sql")), key=lambda f: f.name)
    return [script.read_text("utf-8") for script in scripts]


# Read now: the server may have another root and another user when it opens the store.
schema_scripts()


class DatabaseAway(StoreUnavailable):
    """The database can't be reached now, and may well be a little later."""


class Database:
    """A PostgreSQL database, which other servers of the same chat may use, too.

    :param location: a URL as libpq takes it; what it leaves open is taken from the
        environment and from libpq's files, such as the password.

    :raises ValueError: if it is none.
    """

    _log = Logger()

    def __init__(self, location: str) -> None:
        if not location.startswith(("postgresql://", "postgres://")):
            raise ValueError(
                "A PostgreSQL store is chosen by postgresql://HOST/DATABASE, "
                "e.g. postgresql://localhost/chat."
            )
        try:
            given = conninfo_to_dict(location)
        except psycopg.Error:
            # Its own words would quote the location, and so the password.
            raise ValueError("This is no URL of a PostgreSQL database.") from None
        self._parameters = {**_DEFAULTS, **given, "client_encoding": "UTF8"}
        host, port, name = (given.get(key) or "" for key in ("host", "port", "dbname"))
        self._shown = f"postgresql://{host}{port and ':'}{port}/{name}"
        self._warned: set[str] = set()

    def __str__(self) -> str:
        return self._shown

    def connect(self) -> psycopg.Connection[Any]:
        """A connection, in autocommit mode.

        :raises StoreUnavailable: if there can't be one; its detail says why, in one line.
        :raises DatabaseAway: if that may pass.
        """
        with self.clear_errors():
            psycopg.capabilities.has_pipeline(check=True)
            try:
                return psycopg.connect(autocommit=True, **self._parameters)
            except psycopg.OperationalError as error:
                if _NEVER.search(_NAMED.sub("", str(error))):
                    raise StoreUnavailable(self.explained(error), 2) from error
                raise

    def open(self, scripts: list[str] | None = None) -> psycopg.Connection[Any]:
        """A connection to a database whose schema is up to date; it is made so if it is not.

        :param scripts: the schema, as :func:`schema_scripts` returns it.
        :raises StoreUnavailable: if the database can't be used, it is not ours, or its
            schema is newer than the code.
        :raises DatabaseAway: if that may pass.
        """
        if scripts is None:
            scripts = schema_scripts()
        connection = self.connect()
        try:
            with self.clear_errors():
                with _patience(connection):
                    self._check_server(connection)
                    version = self._version(connection, len(scripts))
                if version < len(scripts):
                    self._upgrade(connection, scripts)
        except BaseException:
            connection.close()
            raise
        return connection

    def prepare(self, scripts: list[str] | None = None) -> None:
        """Make the schema, or bring it up to date, if it is not; as :meth:`open` does.

        :raises StoreUnavailable: as :meth:`open` does.
        """
        self.open(scripts).close()

    def check(self) -> None:
        """See whether the database can be used, as far as that can be known now.

        It changes nothing: the schema is made by :meth:`open`.

        :raises StoreUnavailable: if it never can.
        """
        with (
            suppress(DatabaseAway),
            closing(self.connect()) as connection,
            self.clear_errors(),
            _patience(connection),
        ):
            self._check_server(connection)
            self._version(connection, len(schema_scripts()))

    def _check_server(self, connection: psycopg.Connection[Any]) -> None:
        encoding, fsync, loses_commits = _row(
            connection,
            "SELECT current_setting('server_encoding'), current_setting('fsync'),"
            " current_setting('synchronous_standby_names') = ''"
            " AND EXISTS (SELECT FROM pg_stat_replication)",
        )
        if encoding != "UTF8":
            raise StoreUnavailable(f"The database {self} has encoding {encoding}, and not UTF8.")
        if fsync != "on":
            self._warn("The server of {database} has fsync off: a loss of power loses messages.")
        if loses_commits:
            self._warn(
                "{database} has replicas, and commits don't wait for them "
                "(synchronous_standby_names is empty): a failover may lose messages."
            )

    def _warn(self, line: str) -> None:
        if line not in self._warned:
            self._warned.add(line)
            self._log.warn(line, database=str(self))

    def _version(self, connection: psycopg.Connection[Any], known: int) -> int:
        """The version of the schema that is there; 0 if there is none."""
        schema, tables = _row(
            connection,
            "SELECT current_schema(), array(SELECT relname::text FROM pg_class "
            "JOIN pg_namespace ON pg_namespace.oid = relnamespace "
            "WHERE nspname = current_schema() AND relname = ANY(%s))",
            _OURS,
        )
        if schema is None:
            raise StoreUnavailable(f"The database {self} has no schema of the search_path.")
        if not tables:
            return 0
        if "chatter_schema" not in tables:
            raise StoreUnavailable(
                f"The database {self} is not chatter's: {tables[0]} is another application's."
            )
        (version,) = _row(connection, "SELECT version FROM chatter_schema")
        if version > known:
            raise StoreUnavailable(
                f"The database {self} has schema {version}, this chatter knows "
                f"{known}: it was used by a newer one."
            )
        return int(version)

    def _upgrade(self, connection: psycopg.Connection[Any], scripts: list[str]) -> None:
        """Run the scripts that are new, each in a transaction of its own."""
        attempts = 0
        version = 0
        while version < len(scripts):
            try:
                with connection.transaction():
                    version = self._upgrade_once(connection, scripts)
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                # Nodes of the last version go on writing meanwhile, and are not to wait.
                attempts += 1
                if attempts == LOCK_ATTEMPTS:
                    raise

    def _upgrade_once(self, connection: psycopg.Connection[Any], scripts: list[str]) -> int:
        """Run the next script, if there is one; returns the version that is then there."""
        # Of several servers that start at once, one does it, and the others find it done.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
        version = self._version(connection, len(scripts))
        if version == len(scripts):
            return version
        connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'".encode())
        if version == 0:
            connection.execute("CREATE TABLE chatter_schema AS SELECT 0 AS version")
        connection.execute(scripts[version].encode())
        if version + 1 == FOLDED_ANEW:
            _fold_anew(connection)
        connection.execute("UPDATE chatter_schema SET version = %s", (version + 1,))
        return version + 1

    def explained(self, error: BaseException) -> str:
        """What an error says, in one line that names the database."""
        return f"The database {self} can't be used: {' '.join(str(error).split())}"

    @contextmanager
    def clear_errors(self) -> Iterator[None]:
        """Turn what PostgreSQL says into one line that names the database.

        :raises DatabaseAway: if it is no defect: the connection is lost, or it can't have a
            lock, memory or the like now.
        """
        try:
            yield
        except psycopg.OperationalError as error:
            raise DatabaseAway(self.explained(error), 2) from error
        except psycopg.Error as error:
            raise StoreUnavailable(self.explained(error), 2) from error


def _fold_anew(connection: psycopg.Connection[Any]) -> None:
    """Fold all names as this version does.

    Two that have become the same one stay two: one of them is only found in its old form.
    """
    users = connection.execute("SELECT id, name, folded_name FROM users").fetchall()
    for user_id, name, old in users:
        folded = names.fold(name)
        if folded != old:
            connection.execute(
                "UPDATE users SET folded_name = %s WHERE id = %s"
                " AND NOT EXISTS (SELECT FROM users WHERE folded_name = %s)",
                (folded, user_id, folded),
            )


def _row(connection: psycopg.Connection[Any], query: Any, *parameters: object) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(query, parameters).fetchone()
    return row or (None,)


@contextmanager
def _patience(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Break a connection that has not done something within :data:`PATIENCE`."""
    with socket.socket(fileno=os.dup(connection.fileno())) as ours:
        timer = threading.Timer(PATIENCE, ours.shutdown, (socket.SHUT_RDWR,))
        timer.name = "chatter PostgreSQL patience"
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
