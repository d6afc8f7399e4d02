"""Retention: what a chat keeps no longer than for some time, and no more than some messages.

The log is cut off at its begin, at one id for all.  So a reader needs to know of one number
only, and nothing is looked for that has gone here and there.

Nothing goes within an hour, so that a client that repeats what it has sent finds its key.  Of a
clock that may be wrong see :mod:`chatter.chat.messages.clock_doubt`.
"""

from __future__ import annotations

from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from chatter.chat.messages.clock_doubt import ClockDoubt
from chatter.protocol.durations import parse_duration
from chatter.repeated_errors import UnexpectedErrors

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

    from chatter.log.interfaces import IChatStore

LEAST_AGE = timedelta(hours=1)
"""For so long every message is kept."""

LONGEST_AGE = timedelta(days=36_500)

MOST_MESSAGES = 10**12

CHECK_EVERY = 60.0
"""So often, in seconds, it is looked whether something is to go."""

AT_ONCE = 1000
"""So many entries are looked at in one read."""

COUNTED_AT_ONCE = 10_000
"""Of so many ids the messages are counted in one read: others read between two of them."""

_SLACK = 16
"""They are counted when the log has grown by this fraction of what is kept."""


def parse_age(text: str) -> timedelta:
    """For how long messages are kept, such as ``30d``, ``12h``, ``90m`` or ``5400s``.

    :raises ValueError: if it has another form, or is less than :data:`LEAST_AGE`.
    """
    return checked_age(timedelta(seconds=parse_duration(text)))


def checked_age(age: timedelta) -> timedelta:
    """A time for which messages may be kept.

    :raises ValueError: if it is not between :data:`LEAST_AGE` and :data:`LONGEST_AGE`.
    """
    if not LEAST_AGE <= age <= LONGEST_AGE:
        raise ValueError("messages are kept for an hour at least, and 36500 days at most")
    return age


def checked_number(messages: int) -> int:
    """How many messages may be kept.

    :raises ValueError: if it is not between 1 and :data:`MOST_MESSAGES`.
    """
    if not 1 <= messages <= MOST_MESSAGES:
        raise ValueError(f"from 1 to {MOST_MESSAGES} messages are kept, not {messages}")
    return messages


class Retention:
    """Has the store end to keep what is too old, or too much.

    :param now: the time of day.
    :param age: for so long messages are kept; ``None`` for ever.
    :param messages: so many of the newest messages are kept, and up to a sixteenth more;
        ``None`` for all.
    :raises ValueError: if one of them is out of range.
    """

    _log = Logger()

    def __init__(
        self,
        store: IChatStore,
        clock: IReactorTime,
        now: Callable[[], datetime],
        age: timedelta | None,
        messages: int | None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._now = now
        self._age = None if age is None else checked_age(age)
        self._messages = None if messages is None else checked_number(messages)
        self._doubt = ClockDoubt(clock, now)
        self._errors = UnexpectedErrors(
            self._log, "Messages that are too old could not be removed."
        )
        self._counted_at = -inf
        self._surplus_until = 0
        self._next: IDelayedCall | None = None
        self._looking: Deferred[object] | None = None
        self._pausing: Deferred[None] | None = None

    def start(self) -> None:
        """Look every minute from now on, if there is anything to look for."""
        if self._age is not None or self._messages is not None:
            self._counted_at = -inf
            self._doubt.begin()
            self._next = self._clock.callLater(CHECK_EVERY, self._look)
            self._do(self._look_at_clock())

    async def stop(self) -> None:
        """Look no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if self._pausing is not None:
            self._pausing.cancel()
        if self._looking is not None:
            await self._looking

    def _look(self) -> None:
        self._next = self._clock.callLater(CHECK_EVERY, self._look)
        if self._looking is None:
            self._do(self._trim())

    def _do(self, work: Coroutine[Any, Any, object]) -> None:
        self._looking = looking = Deferred.fromCoroutine(work)
        looking.addCallbacks(lambda _: self._errors.worked(), self._failed)
        looking.addBoth(self._has_looked)

    def _failed(self, failure: Failure) -> None:
        # Either it stops, or it looks again in a minute.
        if not failure.check(CancelledError):
            self._errors.failed(failure)

    def _has_looked(self, _: object) -> None:
        self._looking = None

    async def _trim(self) -> None:
        store = self._store
        last_id = await self._look_at_clock()
        until = store.kept_after
        if self._age is not None:
            old_until = await self._old_until(last_id, self._age)
            if not self._doubt.spares(until, old_until):
                until = old_until
        if self._messages is not None:
            if last_id - self._counted_at > self._messages // _SLACK:
                self._surplus_until = await self._count_surplus(last_id, self._messages)
                self._counted_at = last_id
            if self._surplus_until > until:
                until = max(until, await self._old_until(self._surplus_until, LEAST_AGE))
        if until > store.kept_after:
            await store.trim(until)
            self._log.info("Messages up to {until} are no longer kept.", until=until)

    async def _look_at_clock(self) -> int:
        last_id = await self._store.last_id()
        self._doubt.look(last_id)
        return last_id

    async def _old_until(self, end: int, age: timedelta) -> int:
        """The last entry up to an id before which all are older than an age."""
        before = self._now() - age
        until = self._store.kept_after
        count = AT_ONCE
        while count == AT_ONCE:
            count, until = await self._store.old_entries(until, end, before, AT_ONCE)
            await self._pause()
        return until

    async def _count_surplus(self, last_id: int, kept: int) -> int:
        """Up to which id messages come before the newest ones, of which so many are kept."""
        until = last_id
        while until > self._store.kept_after:
            after = max(self._store.kept_after, until - COUNTED_AT_ONCE)
            count = sum(await self._store.count_messages(after, until))
            if count >= kept:
                return await self._where_left(after, until, kept)
            kept -= count
            until = after
            await self._pause()
        return 0

    async def _where_left(self, after: int, until: int, kept: int) -> int:
        """The largest id of a stretch after which so many messages of it are left."""
        end = until
        while until - after > 1:
            middle = (after + until) // 2
            if sum(await self._store.count_messages(middle, end)) >= kept:
                after = middle
            else:
                until = middle
        return after

    async def _pause(self) -> None:
        """Let others have their turn.

        :raises CancelledError: if it was stopped while the store was being read.
        """
        if self._next is None:
            raise CancelledError
        self._pausing = deferLater(self._clock, 0)
        try:
            await self._pausing
        finally:
            self._pausing = None
