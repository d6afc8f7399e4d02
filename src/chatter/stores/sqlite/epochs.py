"""The epochs of the log in the SQLite file.  All of it blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.log.lineage import MOST_EPOCHS, Epoch

if TYPE_CHECKING:
    import sqlite3


def read_epochs(connection: sqlite3.Connection) -> list[Epoch]:
    """The epochs that are saved, oldest first."""
    rows = connection.execute("SELECT name, began_after FROM epochs ORDER BY number")
    return [Epoch(*row) for row in rows]


def save_epoch(connection: sqlite3.Connection, epoch: Epoch) -> None:
    """Save an epoch as the newest one, and forget those without messages and the oldest.

    It belongs into the transaction of the first message of the epoch: so a restart writes
    nothing, and no message is ever there without its epoch.
    """
    connection.execute("DELETE FROM epochs WHERE began_after >= ?", (epoch.began_after,))
    connection.execute("INSERT INTO epochs (name, began_after) VALUES (?, ?)", epoch)
    connection.execute(
        "DELETE FROM epochs WHERE number <= (SELECT max(number) FROM epochs) - ?", (MOST_EPOCHS,)
    )
