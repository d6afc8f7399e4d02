"""When to try again: exponential back-off, capped, with full jitter.

Each wait is a random part of a ceiling that doubles.  The randomness is the point:
when a server comes back, clients that all waited alike would all return at once
and take it down again.  For the same reason what the server asks for in
``Retry-After`` is only the least wait, and the jitter comes on top of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from random import Random


class Retries(Struct, frozen=True):
    """How long, and how often, to try.

    :ivar attempts: at most so many requests are made, the first one included.
    :ivar patience: none is started later than so many seconds after the first.
    :ivar first_wait: the ceiling of the first wait, in seconds; it doubles.
    :ivar longest_wait: where it stops doubling.
    """

    attempts: int = 6
    patience: float = 60.0
    first_wait: float = 0.5
    longest_wait: float = 10.0

    def wait(self, failed: int, elapsed: float, retry_after: float, random: Random) -> float | None:
        """How many seconds to wait before the next attempt; ``None`` to give up.

        :param failed: how many attempts have failed, at least one.
        :param elapsed: how many seconds ago the first one began.
        :param retry_after: the least wait, as the server asks for it.
        """
        if failed >= self.attempts:
            return None
        wait = self.pause(failed, retry_after, random)
        return None if elapsed + wait > self.patience else wait

    def pause(self, failed: int, least: float, random: Random) -> float:
        """How many seconds to wait before the next attempt, where one never gives up.

        :param failed: how many attempts have failed, at least one.
        :param least: the least wait.
        """
        # The exponent is bounded so that no number of attempts can overflow it.
        ceiling = min(self.longest_wait, self.first_wait * 2 ** min(failed - 1, 32))
        return least + random.uniform(0, ceiling)
