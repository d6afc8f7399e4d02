"""What an operator may want of a store, beside what a chat needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from datetime import datetime
    from pathlib import Path

    from chatter.histograms import BatchCounts


class IOperatedStore(Interface):
    """What an operator may want of a store: ``IOperatedStore(store, None)``.

    A store need not have it; ``__conform__`` gives it.
    """

    def count_writes() -> BatchCounts:
        """Count the batches that are written from now on."""

    def waiting() -> int:
        """How many writes wait for their batch."""

    def end() -> Awaitable[tuple[int, datetime | None]]:
        """The id of the newest entry that is stored, and when the oldest one was made.

        The listener may not have got the newest one yet, if another node has appended it.  The
        oldest one is the first that is kept; ``None`` if there is none.

        :raises StoreUnavailable: if that can't be found out now.
        """

    def size() -> Awaitable[int]:
        """How many bytes the store takes on disks.

        :raises StoreUnavailable: if that can't be found out now.
        """

    def back_up(path: Path) -> Awaitable[tuple[int, int]]:
        """Copy everything to a new file, as it is at one moment, while the store is used.

        Only its owner may read the file, and it is there once it is whole and on the disk.  It
        fires with how many users and how many entries of the log it has.

        :raises StoreUnavailable: if that can't be done, or the file is there already; its
            detail is one line for the operator.
        """
