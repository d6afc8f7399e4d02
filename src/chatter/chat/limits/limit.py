"""One limit: it checks, counts, and refuses with ``TooManyRequests``.

What is counted only when it is done counts while it is under way, too, so that nobody gets past
a limit by sending all at once.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from chatter.chat.limits.meters import Meter
from chatter.protocol.errors import Quota, TooManyRequests

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from chatter.chat.limits.meters import AnyMeter
    from chatter.chat.rates import Rate

_WHAT = {
    "send": "messages",
    "general": "messages to the general chat",
    "edit": "edits and withdrawals of messages",
    "stranger": "private messages to people who have not written to you",
    "report": "reports",
    "device": "tokens made or revoked",
    "stream": "event streams opened",
    "join": "requests to join from your address",
    "token": "unknown tokens from your address",
}


class Limit:
    """One limit, of all users or of all addresses.

    :param name: as :class:`chatter.chat.limits.rate_limits.RateLimits` has it.
    :param meter: what allows, and counts; a :class:`chatter.chat.limits.meters.Meter` if none
        is given.

    :ivar refused: how many were one too many.
    """

    def __init__(
        self,
        name: str,
        rate: Rate,
        seconds: Callable[[], float],
        meter: AnyMeter | None = None,
    ) -> None:
        self.refused = 0
        self._what = _WHAT[name]
        self._quota = Quota(name, rate.count, rate.seconds)
        meter = Meter(rate, seconds) if meter is None else meter
        self._wait = meter.wait
        self._under_way: dict[Hashable, int] = {}
        self.count = meter.count

    def check(self, key: Hashable) -> None:
        """See whether one more is allowed.

        :raises TooManyRequests: if it is not.
        """
        wait = self._wait(key, self._under_way.get(key, 0))
        if wait > 0:
            self._refuse(wait)

    def take(self, key: Hashable) -> None:
        """Count one, if it is allowed.

        :raises TooManyRequests: if it is not.
        """
        self.check(key)
        self.count(key)

    def begin(self, key: Hashable) -> None:
        """Note that one is under way, which is counted when it is done, if it is allowed.

        :raises TooManyRequests: if it is not.
        """
        ahead = self._under_way.get(key, 0)
        wait = self._wait(key, ahead)
        if wait > 0:
            self._refuse(wait)
        self._under_way[key] = ahead + 1

    def end(self, key: Hashable) -> None:
        """Note that one is no longer under way."""
        left = self._under_way.pop(key) - 1
        if left:
            self._under_way[key] = left

    def _refuse(self, wait: float) -> None:
        self.refused += 1
        quota = self._quota
        retry_after = ceil(wait)
        raise TooManyRequests(
            f"Too many {self._what}: {quota.count} in {quota.seconds} seconds are allowed. "
            f"Try again in {retry_after} seconds.",
            retry_after,
            quota,
        )
