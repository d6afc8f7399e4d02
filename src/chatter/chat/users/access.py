"""The end of all that a user has open, here and now.

When a token is revoked, or a user may not use the chat any more, each request must be
authenticated again.  Whoever remembers that a request was allowed compares the *era*, to see
whether that still holds; and what goes on by itself, such as an event stream, is ended.  A client
that may go on reconnects, and loses nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Access:
    """Ends what users have open.

    :ivar era: another object as soon as something may be wrong that was known of users; what
        was noted in an era counts in this era only.
    """

    def __init__(self) -> None:
        self.era = object()
        self._endings: list[Callable[[int], None]] = []
        self._address_endings: list[Callable[[], None]] = []

    def add_ending(self, end: Callable[[int], None]) -> None:
        """Have something called with the id of each user whose access ends; it raises nothing."""
        self._endings.append(end)

    def add_address_ending(self, end: Callable[[], None]) -> None:
        """Have something called when addresses were banned, to end what is open from there.

        It raises nothing.
        """
        self._address_endings.append(end)

    def end_banned_addresses(self) -> None:
        """End all that is open from addresses that are banned now."""
        self.renew()
        for end in self._address_endings:
            end()

    def end(self, user_id: int) -> None:
        """End all that a user has open, and forget whose tokens the user's are."""
        self.renew()
        for end in self._endings:
            end(user_id)

    def renew(self) -> None:
        """Have each request looked at anew; what is open stays so."""
        self.era = object()
