"""What a start waits for that brings a long log up to date, and what others wait for meanwhile.

The log has the schema of an earlier version.  In PostgreSQL two sessions go on writing to it
as the nodes of that version do.  Beside the upgrade stands one pass over all messages on the
same machine: an upgrade that is far slower writes them again.

    python benchmarks/upgrade.py                      # both engines, a million messages
    python benchmarks/upgrade.py --messages 100000
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import nodes_database
import psycopg

from chatter.stores.postgres import database as postgres
from chatter.stores.sqlite import database as sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EARLIER = 2
"""The version of the schema that the log has."""

USERS = 1000
WRITERS = 2
ON_DISK = "/var/tmp"

_SQLITE_USERS = """
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT ?)
    INSERT INTO users (id, name, folded_name, token_hash, cursor, last_seen)
    SELECT n, 'user ' || n, 'user ' || n, randomblob(32), 0, 0 FROM n
"""

_SQLITE_MESSAGES = """
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT ?1)
    INSERT INTO messages (id, sender_id, recipient_id, text, sent_at, idempotency_key)
    SELECT n, 1 + n % ?2, CASE WHEN n % 2 THEN 1 + n * 7 % ?2 END,
           'This is message ' || n || ' of a long log, which nobody has read.', n,
           CASE WHEN n % 3 = 0 THEN 'key ' || n END
    FROM n
"""

_POSTGRES_FILL = """
    INSERT INTO users (name, folded_name, token_hash, cursor, last_seen)
    SELECT 'user ' || n, 'user ' || n, sha256(n::text::bytea), 0, now()
    FROM generate_series(1, {users}) AS n;
    INSERT INTO messages (id, sender_id, recipient_id, text, sent_at, idempotency_key)
    SELECT n, 1 + n % {users}, CASE WHEN n % 2 = 1 THEN 1 + n * 7 % {users} END,
           'This is message ' || n || ' of a long log, which nobody has read.', now(),
           CASE WHEN n % 3 = 0 THEN 'key ' || n END
    FROM generate_series(1, {messages}) AS n;
    UPDATE log_end SET last_id = {messages};
"""

_PASS = "SELECT sum(length(text)) FROM messages"


def main() -> None:
    """Measure both engines, and fail if an upgrade takes longer than a second and two passes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append")
    options = parser.parse_args()
    measured = {
        engine: measure(options.messages)
        for engine, measure in (("sqlite", of_sqlite), ("postgresql", of_postgres))
        if engine in (options.engine or ("sqlite", "postgresql"))
    }
    sys.exit(not all(upgrade < 1 + 2 * one_pass for upgrade, one_pass in measured.values()))


def of_sqlite(messages: int) -> tuple[float, float]:
    """How long it takes, and one pass, in a file that is on a disk."""
    scripts = sqlite.schema_scripts()
    with TemporaryDirectory(dir=ON_DISK) as folder:
        path = Path(folder, "chat.sqlite")
        old = sqlite.Database(path, scripts[:EARLIER])
        with closing(old.connect()) as connection:
            connection.execute(_SQLITE_USERS, (USERS,))
            connection.execute(_SQLITE_MESSAGES, (messages, USERS))
            one_pass = _timed(lambda: connection.execute(_PASS).fetchone())
        old.close()
        steps = []
        for version in range(EARLIER + 1, len(scripts) + 1):
            began = time.perf_counter()
            sqlite.Database(path, scripts[:version]).close()
            steps.append(time.perf_counter() - began)
    _show("SQLite", messages, steps, one_pass)
    return sum(steps), one_pass


def of_postgres(messages: int) -> tuple[float, float]:
    """How long it takes, and one pass, in a database to which others write."""
    scripts = postgres.schema_scripts()
    with nodes_database.database_server() as server:
        name = server.new_database()
        database = postgres.Database(server.url(name))
        database.prepare(scripts[:EARLIER])
        with psycopg.connect(server.url(name), autocommit=True) as connection:
            connection.execute(_POSTGRES_FILL.format(users=USERS, messages=messages).encode())
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")
            one_pass = _timed(lambda: connection.execute(_PASS).fetchone())
        with _writers(server.url(name)) as waited:
            time.sleep(2)
            before, waited[:] = waited[:], []
            steps = []
            for version in range(EARLIER + 1, len(scripts) + 1):
                began = time.perf_counter()
                database.prepare(scripts[:version])
                steps.append(time.perf_counter() - began)
        _show("PostgreSQL", messages, steps, one_pass)
        print(
            f"  {WRITERS} writers of schema {EARLIER}: {len(before)} batches before it, the slowest"
            f" {max(before) * 1000:.0f} ms; {len(waited)} during it, {max(waited) * 1000:.0f} ms"
        )
    return sum(steps), one_pass


@contextmanager
def _writers(url: str) -> Iterator[list[float]]:
    """Write as nodes of the earlier version do; gives how long each batch took."""
    waited: list[float] = []
    errors: list[BaseException] = []
    ended = Event()

    def write(number: int) -> None:
        draft: dict[str, Any] = {"sender_id": 1 + number, "text": "a", "recipient_id": 7}
        batch = json.dumps([{**draft, "sent_at": "2026-01-01T00:00:00Z"}])
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                while not ended.wait(0.005):
                    began = time.perf_counter()
                    connection.execute("SELECT write_batch(%s, NULL, NULL)", (batch,))
                    waited.append(time.perf_counter() - began)
        except psycopg.Error as error:
            errors.append(error)

    threads = [Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    try:
        yield waited
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]


def _timed(do: Callable[[], object]) -> float:
    """In the second of two runs, with what the first has left in memory."""
    do()
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def _show(engine: str, messages: int, steps: list[float], one_pass: float) -> None:
    each = ", ".join(
        f"{version}: {step * 1000:.0f}" for version, step in enumerate(steps, EARLIER + 1)
    )
    print(f"{engine}, {messages:,} messages: {sum(steps):.2f} s; one pass {one_pass:.2f} s")
    print(f"  milliseconds of each version of the schema: {each}")


if __name__ == "__main__":
    main()
