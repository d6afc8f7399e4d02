"""When to try again: exponential backoff, capped, with full jitter.

Each wait is a random part of a ceiling that doubles.  The randomness is the point:
when a server comes back, clients that all waited alike would all return at once
and take it down again.  For the same reason what the server requests with
``Retry-After`` is only the least wait, and the jitter comes on top of it.

What ends the attempts is time: a failover of a database takes as long as it takes,
however many attempts fit into it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from random import Random

MAX_RETRY_AFTER = 300
"""A server can't make a client wait longer than so many seconds."""


class Retries(Struct, frozen=True):
    """How long, and how often, to try.

    :ivar patience: no attempt is started later than so many seconds after the first.
    :ivar attempts: at most so many, the first one included; ``None`` for any number.
    :ivar first_wait: the ceiling of the first wait, in seconds; it doubles.
    :ivar longest_wait: where it stops doubling.
    """

    patience: float = 120.0
    attempts: int | None = None
    first_wait: float = 0.5
    longest_wait: float = 10.0

    def wait(self, failed: int, elapsed: float, retry_after: float, random: Random) -> float | None:
        """How many seconds to wait before the next attempt; ``None`` to give up.

        :param failed: how many attempts have failed, at least one.
        :param elapsed: how many seconds ago the first one began.
        :param retry_after: the least wait, as the server requests it.
        """
        if self.attempts is not None and failed >= self.attempts:
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
