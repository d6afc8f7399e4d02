"""Who is there: a user's last sign of life, which counts for a minute."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

LIFETIME = timedelta(minutes=1)
"""For so long after a sign of life a user is online."""

_WORTH_SAVING = timedelta(seconds=30)


class Presence:
    """When each user was last seen by this process."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._seen: dict[int, datetime] = {}
        self._saved: dict[int, datetime] = {}

    def now(self) -> datetime:
        """The clock's time, in UTC."""
        return datetime.fromtimestamp(self._clock.seconds(), timezone.utc)

    def see(self, user_id: int) -> datetime | None:
        """Note a sign of life; answers its time if it is worth being saved."""
        now = self._seen[user_id] = self.now()
        saved = self._saved.get(user_id)
        if saved is not None and now - saved < _WORTH_SAVING:
            return None
        self._saved[user_id] = now
        return now

    def last_seen(self, user_id: int, saved: datetime) -> datetime:
        """The last sign of life, here or as saved."""
        return max(saved, self._seen.get(user_id, saved))

    def is_online(self, last_seen: datetime) -> bool:
        """Tell whether somebody last seen then is still there."""
        return self.now() - last_seen < LIFETIME
