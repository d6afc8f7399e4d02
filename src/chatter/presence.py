"""Who is there: a user's last sign of life, which counts for a minute.

Who waits for news is there all the time.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from twisted.internet.interfaces import IReactorTime

LIFETIME = timedelta(minutes=1)
"""For so long after a sign of life a user is online."""

_WORTH_SAVING = 30.0
"""A sign of life is saved if the last one saved is so many seconds old."""


class Presence:
    """When each user was last seen by this process.

    :param save: keeps a user's last sign of life beyond this process.
    """

    def __init__(self, clock: IReactorTime, save: Callable[[int, datetime], object]) -> None:
        self._clock = clock
        self._save = save
        self._seen: dict[int, float] = {}
        self._saved: dict[int, float] = {}
        self._held: Counter[int] = Counter()

    def now(self) -> datetime:
        """The clock's time, in UTC."""
        return _moment(self._clock.seconds())

    def see(self, user_id: int) -> None:
        """Take note of a sign of life."""
        now = self._seen[user_id] = self._clock.seconds()
        if now - self._saved.get(user_id, 0) >= _WORTH_SAVING:
            self._saved[user_id] = now
            self._save(user_id, _moment(now))

    @contextmanager
    def held(self, user_id: int) -> Iterator[None]:
        """Hold a user there, who waits for news."""
        self.hold(user_id)
        try:
            yield
        finally:
            self.let_go(user_id)

    def hold(self, user_id: int) -> None:
        """Take note that a user is there until let go, as often as held."""
        self._held[user_id] += 1

    def let_go(self, user_id: int) -> None:
        """Take note that a user is held once less, and was there until now."""
        self._held[user_id] -= 1
        if not self._held[user_id]:
            del self._held[user_id]
        self.see(user_id)

    def last_seen(self, user_id: int, saved: datetime) -> datetime:
        """The last sign of life, here or as saved."""
        if user_id in self._held:
            return self.now()
        seen = self._seen.get(user_id)
        return saved if seen is None else max(saved, _moment(seen))

    def is_online(self, last_seen: datetime) -> bool:
        """Tell whether somebody last seen then is still there."""
        return self.now() - last_seen < LIFETIME


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
