"""Presence: a user's last sign of life, which counts for a minute.

A user with an open stream or a waiting poll is online all the time.  The time is saved again
and again, so that other servers of the same store know it, and this one after a crash.  Only
the last two minutes are kept in memory here; older times are in the store.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from math import inf
from typing import TYPE_CHECKING

from cachetools import FIFOCache

from chatter.clocks import wall_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

LIFETIME = timedelta(minutes=1)
"""For so long after a sign of life a user is online."""

_WORTH_SAVING = 30
"""A sign of life is saved if the last one saved is so many seconds old."""

_AHEAD = 1000
"""Of so many users it is remembered that the store has a time in the future."""


class Presence:
    """When each user was last seen by this process.

    :param save: is given what is worth saving: a user's id, and when that user was seen.
    """

    def __init__(self, clock: IReactorTime, save: Callable[[int, datetime], None]) -> None:
        self._clock = clock
        self._wall_clock = wall_clock(clock)
        self._save = save
        self._seen: dict[int, float] = {}
        # In the order in which the users were saved: who is seen again is saved again soon, so
        # that it is nearly the order in which they were seen.
        self._saved: OrderedDict[int, float] = OrderedDict()
        # How many streams and polls each user has, in the order in which users were saved.
        self._held: OrderedDict[int, int] = OrderedDict()
        self._next_turn: IDelayedCall | None = None
        self._ahead: FIFOCache[int, tuple[datetime, float]] = FIFOCache(_AHEAD)

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.fromtimestamp(self._wall_clock(), timezone.utc)

    def _moment(self, seconds: float) -> datetime:
        """The time of day when the clock showed so many seconds."""
        return self.now() - timedelta(seconds=self._clock.seconds() - seconds)

    def see(self, user_id: int) -> None:
        """Note a sign of life."""
        now = self._seen[user_id] = self._clock.seconds()
        if now - self._saved.get(user_id, -inf) >= _WORTH_SAVING:
            self._save_now(user_id)
            self._forget_some(now)

    @contextmanager
    def held(self, user_id: int) -> Iterator[None]:
        """Hold a user there, who waits for messages."""
        self.hold(user_id)
        try:
            yield
        finally:
            self.let_go(user_id)

    def hold(self, user_id: int) -> None:
        """Note that a user is there until let go, as often as held."""
        self._held[user_id] = self._held.get(user_id, 0) + 1
        if self._next_turn is None:
            self._next_turn = self._clock.callLater(1, self._take_turn)

    def let_go(self, user_id: int) -> None:
        """Note that a user is held once less, and was there until now."""
        self._held[user_id] -= 1
        now = self._seen[user_id] = self._clock.seconds()
        if self._held[user_id]:
            return
        del self._held[user_id]
        self._save_now(user_id)
        self._forget_some(now)
        if not self._held and self._next_turn is not None:
            self._next_turn.cancel()
            self._next_turn = None

    def _take_turn(self) -> None:
        """Save some of those who are held; each has a turn in as many seconds as is worth it."""
        self._next_turn = self._clock.callLater(1, self._take_turn)
        for _ in range(-(-len(self._held) // _WORTH_SAVING)):
            user_id = next(iter(self._held))
            self._held.move_to_end(user_id)
            self._save_now(user_id)

    def _save_now(self, user_id: int) -> None:
        self._saved[user_id] = self._clock.seconds()
        self._saved.move_to_end(user_id)
        self._save(user_id, self.now())

    def _forget_some(self, now: float) -> None:
        """Forget two users who were seen last long ago; it follows each save of one.

        So there are never many more than the last two minutes saw.
        """
        for _ in range(2):
            user_id, saved = next(iter(self._saved.items()))
            # One who is held has been saved, and need not have been seen since then.
            seen = self._seen.get(user_id, saved)
            if now - max(seen, saved) < LIFETIME.total_seconds():
                return
            del self._saved[user_id]
            self._seen.pop(user_id, None)
            if saved < seen:
                self._save(user_id, self._moment(seen))

    def last_seen(self, user_id: int, saved: datetime) -> datetime:
        """The last sign of life, here or as saved; it is never in the future."""
        now = self.now()
        if user_id in self._held:
            return now
        if saved > now:
            saved = self._past(user_id, saved)
        seen = self._seen.get(user_id)
        return saved if seen is None else max(saved, self._moment(seen))

    def _past(self, user_id: int, saved: datetime) -> datetime:
        """A time that a clock ahead of this one has saved: now, when it is first found."""
        ahead = self._ahead.get(user_id)
        if ahead is None or ahead[0] != saved:
            ahead = self._ahead[user_id] = (saved, self._clock.seconds())
        return self._moment(ahead[1])

    def stays(self, user_id: int, saved: datetime, duration: timedelta) -> bool:
        """Whether a user is online, and will be for some time without another sign of life.

        The first two cases spare :meth:`last_seen`: this is asked of many users in one turn of
        the reactor.

        :param duration: for how long from now.
        """
        if user_id in self._held:
            return True
        left = LIFETIME - duration
        seen = self._seen.get(user_id)
        if seen is not None and self._clock.seconds() - seen < left.total_seconds():
            return True
        return self.now() - self.last_seen(user_id, saved) < left

    def is_online(self, last_seen: datetime) -> bool:
        """Say whether a user who was last seen then is still online."""
        return self.now() - last_seen < LIFETIME
