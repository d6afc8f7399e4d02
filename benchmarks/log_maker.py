"""Makes databases with long logs, straight through chatter's schema."""

from __future__ import annotations

from contextlib import closing
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from chatter.stores.sqlite.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READERS = 64
"""The first users; they are in none of the private chats of the log's second half."""

NEWEST = 20
"""So many messages at the log's end are general."""

_MICROSECONDS_2026 = 1_767_225_600_000_000

_Row: TypeAlias = "tuple[int, int, int | None, str, int]"


def token_of(user_id: int) -> str:
    """The token of a user of a log made here."""
    return f"{user_id:064x}"


def make_log(path: Path, messages: int, users: int) -> None:
    """Make a database of so many messages and users.

    The first half of the log is general and private by turns, the private ones
    between any two users.  In the second half strangers write to each other, and
    only 20 messages, evenly scattered, are general.  The newest 20 are general.
    All users have read everything.
    """
    database = Database(path)
    with closing(database.connect()) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        names = [(user_id, f"user {user_id}") for user_id in range(1, users + 1)]
        connection.executemany(
            "INSERT INTO users (id, name, folded_name, cursor, last_seen) VALUES (?, ?, ?, ?, ?)",
            ((user_id, name, name, messages, _MICROSECONDS_2026) for user_id, name in names),
        )
        connection.executemany(
            "INSERT INTO tokens (user_id, hash, label, seen_at) VALUES (?, ?, '', ?)",
            (
                (user_id, sha256(token_of(user_id).encode()).digest(), _MICROSECONDS_2026)
                for user_id, _ in names
            ),
        )
        connection.executemany(
            "INSERT INTO log (id, sender_id, recipient_id, text, sent_at) VALUES (?, ?, ?, ?, ?)",
            _rows(messages, users),
        )
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def _rows(messages: int, users: int) -> Iterator[_Row]:
    random = Random(messages)
    half = messages // 2
    for message_id in range(1, messages + 1):
        sender_id = random.randint(1, users)
        recipient_id: int | None = None
        if message_id <= half:
            if message_id % 2:
                recipient_id = random.randint(1, users)
        elif message_id <= messages - NEWEST and message_id % (half // NEWEST):
            sender_id = random.randint(READERS + 1, users)
            recipient_id = random.randint(READERS + 1, users)
        text = f"Hello, everybody! This is message {message_id} of a long log."
        yield message_id, sender_id, recipient_id, text, _MICROSECONDS_2026 + message_id
