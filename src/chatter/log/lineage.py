"""The epochs of a log, by which a position of another history is noticed.

A log that is restored from a backup, or whose end is lost in a failover, is shorter than
what some readers have read.  It then goes on with ids that they have seen, and they would
skip what is new.  So each time a log may have become another one (its file is opened, its
database server is another one) it begins a new **epoch**: a random name, and the last id
before it.  The list of them is the log's lineage, and a position is an epoch and an id.

Two logs with the same epoch are copies of one log up to somewhere within it.  So a reader
who has read up to *n* in epoch *E* has read this log:

- if *E* is the newest epoch here: up to *n*;
- if *E* is another one of ours: up to *n*, or to where our next epoch began, if that is
  less: there the reader's log and this one have parted, or have not, and then *n* is less;
- if *E* is unknown: up to the end of the newest common ancestor.  A reader therefore names,
  with *E*, ancestors of *E* and where each ended.

A restart that loses nothing moves nobody: where the next epoch began, the last one ended.
An epoch without messages is forgotten when the next one begins; what ends in it, ended in
the one before, too.
"""

from __future__ import annotations

import re
from secrets import token_hex
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_EPOCHS = 1000
"""So many epochs are kept.  Readers of older ones read from the start."""

_NEAR = 8
"""So many ancestors are named one by one; beyond them each is twice as far back."""

_ENTRY = re.compile(r"([0-9a-z]+)\.([0-9]+)")


class Epoch(NamedTuple):
    """A stretch of a log between two moments at which it may have become another one.

    :ivar name: random.
    :ivar began_after: the last id of the log when it began.
    """

    name: str
    began_after: int


def new_epoch(last_id: int) -> Epoch:
    """An epoch that begins now."""
    return Epoch(token_hex(5), last_id)


def continued(epochs: Sequence[Epoch], epoch: Epoch) -> list[Epoch]:
    """The epochs of a log in which another one begins.

    Those that the log has nothing of are left out, and those that are too many.
    """
    kept = [earlier for earlier in epochs if earlier.began_after < epoch.began_after]
    return [*kept, epoch][-MOST_EPOCHS:]


class Lineage:
    """The epochs of a log, oldest first, at least one.

    :ivar current: the newest epoch, as clients get it: its name, and ancestors with the
        id at which each ended.  Clients take it for opaque.
    """

    def __init__(self, epochs: Iterable[Epoch]) -> None:
        self._epochs = list(epochs)
        self._places = {epoch.name: place for place, epoch in enumerate(self._epochs)}
        newest = len(self._epochs) - 1
        self.current = "~".join(
            [self._epochs[newest].name, *(self._described(newest - d) for d in _distances(newest))]
        )

    def _described(self, place: int) -> str:
        return f"{self._epochs[place].name}.{self._epochs[place + 1].began_after}"

    def shared(self, epoch: str, position: int) -> int:
        """Up to where a reader has read this log: at most up to its position.

        :param epoch: the :attr:`current` one of the log in which it has read, when it had.
        :param position: it has read that log up to this id.
        """
        if epoch == self.current:
            return position
        name, *ancestors = epoch.split("~")
        if name in self._places:
            return min(position, self._end_of(name, position))
        for ancestor in ancestors:
            described = _ENTRY.fullmatch(ancestor)
            if described is not None and described[1] in self._places:
                # What both logs have of it is what the shorter one has.
                return min(position, self._end_of(described[1], position), int(described[2]))
        return 0

    def _end_of(self, name: str, position: int) -> int:
        place = self._places[name] + 1
        return self._epochs[place].began_after if place < len(self._epochs) else position


def _distances(newest: int) -> list[int]:
    """How far back the ancestors are that are named with an epoch."""
    distances = list(range(1, min(_NEAR, newest) + 1))
    distance = 2 * _NEAR
    while distance <= newest:
        distances.append(distance)
        distance *= 2
    return distances
