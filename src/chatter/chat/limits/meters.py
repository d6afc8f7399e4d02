"""Meters: whether one more is allowed for a key now, in bounded memory and constant time.

:class:`Meter` is the generic cell rate algorithm (GCRA, `ITU-T I.371
<https://www.itu.int/rec/T-REC-I.371>`_): one number a key, the time at which the key will
have nothing to its account.  :class:`Window` has the last times themselves, and so is exact.

Keys are kept in the order of their last use.  Each new one has two old ones looked at, and
forgotten if they have nothing to their account any more.  When there are too many, the
oldest is forgotten in any case: to be forgotten is to be allowed more.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from chatter.chat.rates import Rate

MOST_KEYS = 20_000
"""Of so many keys a meter remembers how much they had."""

_MOST_TIMES = 400_000
"""So many times a window keeps in all."""

_ROUNDING = 1e-6


class AnyMeter(Protocol):
    """What both meters do."""

    def wait(self, key: Hashable, ahead: int = 0) -> float:
        """In how many seconds one more is allowed for a key; 0 for now.

        :param ahead: how many are under way that are not counted yet.
        """

    def count(self, key: Hashable) -> None:
        """Count one, allowed or not."""


class Meter:
    """Allows ``rate.count`` at once, which come back evenly in ``rate.seconds``.

    :param seconds: the time, which never goes back.
    """

    def __init__(self, rate: Rate, seconds: Callable[[], float], most: int = MOST_KEYS) -> None:
        self._seconds = seconds
        self._interval = rate.seconds / rate.count
        self._tolerance = rate.seconds - self._interval + _ROUNDING
        self._most = most
        # Until when each key has something to its account.
        self._until: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until)

    def wait(self, key: Hashable, ahead: int = 0) -> float:
        """In how many seconds one more is allowed for a key; 0 for now."""
        excess = ahead * self._interval - self._tolerance
        until = self._until.get(key)
        if until is not None:
            account = until - self._seconds()
            if account > 0:
                excess += account
        # Not max(): this is done for each send.
        return excess if excess > 0 else 0  # noqa: FURB136

    def count(self, key: Hashable) -> None:
        """Count one, allowed or not."""
        now = self._seconds()
        known = self._until
        until = known.get(key)
        if until is None:
            known[key] = now + self._interval
            self._forget_some(now)
            return
        known[key] = (until if until > now else now) + self._interval  # noqa: FURB136
        known.move_to_end(key)

    def _forget_some(self, now: float) -> None:
        known = self._until
        for _ in range(2):
            oldest = next(iter(known))
            if known[oldest] > now and len(known) <= self._most:
                return
            del known[oldest]


class Window:
    """Allows ``rate.count`` within any ``rate.seconds``, exactly.

    :param seconds: the time, which never goes back.

    :ivar length: of the window, in seconds.
    """

    def __init__(self, rate: Rate, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._count = rate.count
        self.length = rate.seconds
        self._most = _MOST_TIMES // rate.count
        self._times: OrderedDict[Hashable, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._times)

    def wait(self, key: Hashable, ahead: int = 0) -> float:
        """In how many seconds one more is allowed for a key; 0 for now."""
        if ahead >= self._count:
            return self.length
        times = self._times.get(key)
        if times is None:
            return 0
        # One more is allowed once this one is over: so many may be beside those under way.
        place = len(times) + ahead - self._count
        if place < 0:
            return 0
        wait = times[place] + self.length - self._seconds()
        return max(0, wait)

    def count(self, key: Hashable) -> None:
        """Count one, allowed or not."""
        now = self._seconds()
        times = self._times.get(key)
        if times is None:
            self._times[key] = deque((now,), self._count)
            self._forget_some(now - self.length)
            return
        times.append(now)
        self._times.move_to_end(key)

    def remaining(self, key: Hashable) -> int:
        """How many are allowed for a key now."""
        times = self._times.get(key)
        if times is None:
            return self._count
        return self._count - len(times) + bisect_right(times, self._seconds() - self.length)

    def count_earlier(self, key: Hashable, age: float) -> None:
        """Count one that was before all that are counted.

        :param age: how many seconds ago it was.
        """
        times = self._times.get(key)
        if times is None:
            if len(self._times) < self._most:
                self._times[key] = deque((self._seconds() - age,), self._count)
                self._times.move_to_end(key, last=False)
        elif len(times) < self._count:
            times.appendleft(self._seconds() - age)

    def forget(self) -> None:
        """Have nothing counted."""
        self._times.clear()

    def _forget_some(self, before: float) -> None:
        for _ in range(2):
            oldest = next(iter(self._times))
            if self._times[oldest][-1] > before and len(self._times) <= self._most:
                return
            del self._times[oldest]
