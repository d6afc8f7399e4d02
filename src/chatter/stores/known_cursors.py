"""The cursors of users, at hand in memory.

For a store that no other process writes to: what is known here is then right.
"""

from __future__ import annotations

from cachetools import FIFOCache

KNOWN_CURSORS = 20_000
"""So many are kept at hand."""


class KnownCursors:
    """The cursors that were asked for lately, and how they have moved since."""

    def __init__(self) -> None:
        # Who has moved last is kept longest; to note who asks, too, would cost each poll more.
        self._known: FIFOCache[int, int] = FIFOCache(KNOWN_CURSORS)

    def get(self, user_id: int) -> int | None:
        """Up to where a user has read, if that is known."""
        try:
            # Its get() would ask twice.
            return self._known[user_id]
        except KeyError:
            return None

    def learn(self, user_id: int, cursor: int) -> int:
        """Take over what was read from the store; answers the cursor that is right."""
        self._known[user_id] = cursor = max(cursor, self._known.get(user_id, 0))
        return cursor

    def move(self, user_id: int, cursor: int) -> None:
        """Move a user on, never back."""
        # One that is not known is not learnt from this: what is saved may be further on.
        if user_id in self._known:
            self.learn(user_id, cursor)
