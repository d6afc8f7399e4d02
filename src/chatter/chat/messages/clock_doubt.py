"""Whether the time of day may be wrong: then nothing is deleted that does not come back.

A clock that is wrong by years makes every message too old.  That can't be told from a chat in
which nobody has written for years, but it can be waited until the operator had time to see
it.  So for a day after the start, and after the clock was set forward, the age of messages is no
reason to delete all of those that were there before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from twisted.internet.interfaces import IReactorTime

LASTS = 86_400.0
"""For so many seconds a clock is doubted."""

SET_BY = 600.0
"""A time of day that has gained so many seconds was set."""


class ClockDoubt:
    """Says what may not be deleted for its age.

    :param clock: measures how much time passes.
    :param now: the time of day.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, now: Callable[[], datetime]) -> None:
        self._clock = clock
        self._now = now
        self.begin()

    def begin(self) -> None:
        """Doubt the clock: nobody has seen it run."""
        self._since = self._clock.seconds()
        self._ahead = self._how_far_ahead()
        self._newest: int | None = None
        self._witness: int | None = None
        self._is_told = False

    def look(self, newest: int) -> None:
        """Look at the clock.

        :param newest: the id of the newest entry now.
        """
        ahead = self._how_far_ahead()
        if ahead - self._ahead > SET_BY:
            self._since = self._clock.seconds()
            self._witness = self._newest
            self._is_told = False
        if self._witness is None:
            self._witness = newest
        self._ahead, self._newest = ahead, newest

    def spares(self, kept_after: int, until: int) -> bool:
        """Whether entries up to an id are not to be deleted, for now.

        :param kept_after: up to where nothing is kept already.
        """
        witness = self._witness
        if witness is None or not kept_after < witness <= until:
            return False
        is_doubted = self._clock.seconds() - self._since < LASTS
        if is_doubted and not self._is_told:
            self._is_told = True
            self._log.warn(
                "By the clock of this machine it is {now:%Y-%m-%d %H:%M} UTC, and all messages "
                "that were there are too old. They go in a day, if the clock is not set right.",
                now=self._now(),
            )
        return is_doubted

    def _how_far_ahead(self) -> float:
        return self._now().timestamp() - self._clock.seconds()
