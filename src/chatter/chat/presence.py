"""Who is there: a user's last sign of life, which counts for a minute.

Who waits for news is there all the time.  That is saved again and again, so that other
servers of the same store know it, and this one after a crash.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

LIFETIME = timedelta(minutes=1)
"""For so long after a sign of life a user is online."""

_WORTH_SAVING = 30
"""A sign of life is saved if the last one saved is so many seconds old."""


class Presence:
    """When each user was last seen by this process.

    :param save: is given what is worth saving: a user's id, and when that user was seen.
    """

    def __init__(self, clock: IReactorTime, save: Callable[[int, datetime], None]) -> None:
        self._clock = clock
        self._save = save
        self._seen: dict[int, float] = {}
        self._saved: dict[int, float] = {}
        # How often each is held; who was saved last stands last.
        self._held: dict[int, int] = {}
        self._next_turn: IDelayedCall | None = None

    def now(self) -> datetime:
        """The clock's time, in UTC."""
        return _moment(self._clock.seconds())

    def see(self, user_id: int) -> None:
        """Note a sign of life."""
        now = self._seen[user_id] = self._clock.seconds()
        if now - self._saved.get(user_id, 0) >= _WORTH_SAVING:
            self._save_now(user_id)

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
        self._held[user_id] = self._held.get(user_id, 0) + 1
        if self._next_turn is None:
            self._next_turn = self._clock.callLater(1, self._take_turn)

    def let_go(self, user_id: int) -> None:
        """Take note that a user is held once less, and was there until now."""
        self._held[user_id] -= 1
        self._seen[user_id] = self._clock.seconds()
        if self._held[user_id]:
            return
        del self._held[user_id]
        self._save_now(user_id)
        if not self._held and self._next_turn is not None:
            self._next_turn.cancel()
            self._next_turn = None

    def _take_turn(self) -> None:
        """Save some of those who are held; each has a turn in as many seconds as is worth it."""
        self._next_turn = self._clock.callLater(1, self._take_turn)
        for _ in range(-(-len(self._held) // _WORTH_SAVING)):
            user_id = next(iter(self._held))
            self._held[user_id] = self._held.pop(user_id)
            self._save_now(user_id)

    def _save_now(self, user_id: int) -> None:
        now = self._saved[user_id] = self._clock.seconds()
        self._save(user_id, _moment(now))

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
