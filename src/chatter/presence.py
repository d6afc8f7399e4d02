"""Who is there: a user's last sign of life, which counts for a minute."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

LIFETIME = timedelta(minutes=1)
"""For so long after a sign of life a user is online."""

_WORTH_SAVING = 30.0
"""A sign of life is saved if the last one saved is so many seconds old."""


class Presence:
    """When each user was last seen by this process."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._seen: dict[int, float] = {}
        self._saved: dict[int, float] = {}

    def now(self) -> datetime:
        """The clock's time, in UTC."""
        return _moment(self._clock.seconds())

    def see(self, user_id: int) -> datetime | None:
        """Note a sign of life; answers its time if it is worth being saved."""
        now = self._seen[user_id] = self._clock.seconds()
        if now - self._saved.get(user_id, 0) < _WORTH_SAVING:
            return None
        self._saved[user_id] = now
        return _moment(now)

    def last_seen(self, user_id: int, saved: datetime) -> datetime:
        """The last sign of life, here or as saved."""
        seen = self._seen.get(user_id)
        return saved if seen is None else max(saved, _moment(seen))

    def is_online(self, last_seen: datetime) -> bool:
        """Tell whether somebody last seen then is still there."""
        return self.now() - last_seen < LIFETIME


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
