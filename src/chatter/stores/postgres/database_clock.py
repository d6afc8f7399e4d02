"""The clock of the database, as far as this process can tell it.

A batch of writes must not be executed after this process has given it up: its senders were told
that it failed, and have perhaps sent newer edits to another node.  The network may hold a batch
for any time, and so may the lock on the log.  So each batch has a deadline, which the database
compares with its own clock while it has that lock.  What is sent later gets the lock later.

This holds where the process waits until the deadline.  If the connection is lost before, or the
process stops, which waits for :data:`chatter.stores.postgres.store.PATIENCE_AT_THE_END` only, the
batch fails at once; what the network has of it then may still be executed until the deadline.

The deadline is in the time of the database, so the clocks of the two machines need not agree.  The
database tells its time with each batch.  That time lies between the sending of the batch and its
result, which bounds how far the clock of the database is ahead of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class DatabaseClock:
    """Translates times of this process into times of the database; rather too early than too late.

    Times of the database are seconds since 1970, those of this process are seconds of the
    reactor.

    :param seconds: tells the time of this process.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._ahead = 0.0

    def start(self, told: float) -> None:
        """Learn the time of the database, in a new session.

        :param told: what the database has told just now.
        """
        self._ahead = told - self._seconds()

    def follow(self, requested_at: float, told: float) -> None:
        """Follow the clock of the database: it may have been set, or run faster or slower.

        :param requested_at: when its time was requested.
        :param told: what the database has told since.
        """
        least = told - self._seconds()
        self._ahead = min(max(self._ahead, least), told - requested_at)

    def at(self, seconds: float) -> float:
        """The time of the database at a time of this process."""
        return self._ahead + seconds
