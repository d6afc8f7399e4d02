"""Opening a PostgreSQL database as ours: the connection, the schema's version.

All of it blocks.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import closing, contextmanager
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from twisted.logger import Logger

from chatter.protocol.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA_LOCK = 0x63686174
"""``chat`` in ASCII: the advisory lock under which the schema is made and changed."""

PATIENCE = 10.0
"""A database that is asked for its version has so many seconds to answer."""

_OURS = ["chatter_schema", "users", "messages", "log_end", "chats"]

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

    def __str__(self) -> str:
        return self._shown

    def connect(self) -> psycopg.Connection[Any]:
        """A connection, in autocommit mode.

        :raises StoreUnavailable: if there can't be one; its detail says why, in one line.
        """
        with self._clear_errors():
            psycopg.capabilities.has_pipeline(check=True)
            return psycopg.connect(autocommit=True, **self._parameters)

    def prepare(self, scripts: list[str] | None = None) -> None:
        """Make the schema, or bring it up to date, if it is not.

        :param scripts: the schema, as :func:`schema_scripts` answers it.
        :raises StoreUnavailable: if the database can't be used, it is not ours, or its
            schema is newer than the code.
        """
        if scripts is None:
            scripts = schema_scripts()
        with self._clear_errors(), closing(self.connect()) as connection:
            with _patience(connection):
                self._check_server(connection)
                version = self._version(connection, len(scripts))
            if version < len(scripts):
                self._upgrade(connection, scripts)

    def _check_server(self, connection: psycopg.Connection[Any]) -> None:
        encoding, fsync = _row(
            connection, "SELECT current_setting('server_encoding'), current_setting('fsync')"
        )
        if encoding != "UTF8":
            raise StoreUnavailable(f"The database {self} has encoding {encoding}, and not UTF8.")
        if fsync != "on":
            self._log.warn(
                "The server of {database} has fsync off: a loss of power loses messages.",
                database=str(self),
            )

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
        with connection.transaction():
            # Of several servers that start at once, one does it, and the others find it done.
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
            version = self._version(connection, len(scripts))
            if version == 0:
                connection.execute("CREATE TABLE chatter_schema AS SELECT 0 AS version")
            for script in scripts[version:]:
                connection.execute(script.encode())
            connection.execute("UPDATE chatter_schema SET version = %s", (len(scripts),))

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        """Turn what PostgreSQL says into one line that names the database."""
        try:
            yield
        except psycopg.Error as error:
            reason = " ".join(str(error).split())
            raise StoreUnavailable(f"The database {self} can't be used: {reason}", 2) from error


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
