"""Transactions of a SQLite file, and whether the disk has room for more.  All of it blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

Result = TypeVar("Result")

ROOM = 64 * 1024
"""As many bytes as a database that could not be written must take to be well again."""


def take_room(connection: sqlite3.Connection) -> None:
    """Write as much as some messages need, to see whether the disk takes it."""
    give_room_back(connection)
    connection.execute(f"CREATE TABLE room AS SELECT zeroblob({ROOM}) AS blank")


def give_room_back(connection: sqlite3.Connection) -> None:
    """Undo :func:`take_room`; the next messages find the room in the file."""
    connection.execute("DROP TABLE IF EXISTS room")


def in_transaction(connection: sqlite3.Connection, work: Callable[[], Result]) -> Result:
    """Do some work in one durable transaction, or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work()
        connection.execute("COMMIT")
    except BaseException:
        # A full disk may have ended the transaction already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result
