"""The cursors of users, at hand in memory.

For a store that no other process writes to: what is known here is then right.
"""

from __future__ import annotations

from cachetools import FIFOCache

KNOWN_CURSORS = 20_000
"""So many are kept at hand."""


class KnownCursors:
    """The cursors that were read lately, and how they have moved since."""

    def __init__(self) -> None:
        # The first one learnt makes room for a new one.  A cursor is in a list of its own,
        # so that to move it changes nothing here.
        self._known: FIFOCache[int, list[int]] = FIFOCache(KNOWN_CURSORS)

    def get(self, user_id: int) -> int | None:
        """Up to where a user has read, if that is known."""
        try:
            # Its get() would look twice.
            return self._known[user_id][0]
        except KeyError:
            return None

    def learn(self, user_id: int, cursor: int) -> int:
        """Take over what was read from the store; returns the cursor that is right."""
        known = self._known.setdefault(user_id, [cursor])
        known[0] = max(cursor, known[0])
        return known[0]

    def move(self, user_id: int, cursor: int) -> None:
        """Move a user on, never back."""
        try:
            known = self._known[user_id]
        except KeyError:
            # It is not learnt from this: what is saved may be further on.
            return
        known[0] = max(known[0], cursor)
