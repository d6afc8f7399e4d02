"""What was withdrawn is soon gone from the write-ahead log of SQLite, too.

In the database file a deleted text is overwritten at once (``secure_delete``).  The pages that
it stood on before are still in the write-ahead log, until that is written over.  So a while
after a change the log is copied into the file and cut to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

SCRUBBED_AFTER = 20.0
"""So many seconds after a change the write-ahead log is emptied; and again, if it could not be."""


class Scrubbing:
    """Empties the write-ahead log some time after a change, once for all changes until then.

    :param reactor: an ``IReactorTime`` provider.
    :param scrub: calls :func:`empty_log` between batches.
    """

    def __init__(self, reactor: Any, scrub: Callable[[], Deferred[bool]]) -> None:
        self._reactor = reactor
        self._scrub = scrub
        self._next: IDelayedCall | None = None
        self._is_stopped = True

    def start(self) -> None:
        """Empty it from now on."""
        self._is_stopped = False

    def changed(self) -> None:
        """Note that a text was replaced or deleted."""
        if self._next is None and not self._is_stopped:
            self._next = self._reactor.callLater(SCRUBBED_AFTER, self._run)

    def stop(self) -> None:
        """Empty it no more: the last connection that is closed does so."""
        self._is_stopped = True
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _run(self) -> None:
        self._next = None
        self._scrub().addCallbacks(self._scrubbed, lambda _: self._scrubbed(is_empty=False))

    def _scrubbed(self, is_empty: bool) -> None:
        if not is_empty:
            self.changed()


def empty_log(connection: sqlite3.Connection) -> bool:
    """Copy the write-ahead log into the file and cut it; returns whether that was possible."""
    (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy
