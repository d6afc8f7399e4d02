"""The limits of a running chat: they check, count, and refuse with ``TooManyRequests``.

What users send is counted as the log tells of it, on every node: so a limit holds over
all nodes of a chat, and nothing is counted that was not stored.  What is under way on
this node counts too, so that nobody gets past a limit by sending all at once.
"""

from __future__ import annotations

from contextlib import contextmanager
from math import ceil
from typing import TYPE_CHECKING

from cachetools import FIFOCache

from chatter.chat.limits.meters import Meter, Window
from chatter.protocol.errors import Quota, TooManyRequests
from chatter.protocol.model import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from chatter.chat.core import ChatCore
    from chatter.chat.limits.meters import AnyMeter
    from chatter.chat.limits.rate_limits import Rate, RateLimits
    from chatter.chat.messages.sending import Sending
    from chatter.log.entries import Entry
    from chatter.protocol.model import User

WAITING_AGAIN = 5
"""After so many seconds a poll may be tried again that is one too many."""

_REMEMBERED_PAIRS = 20_000

_LOOKED_THROUGH = 50
"""So many of the newest messages between two users show whether they know each other."""

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
            f"Too many {_WHAT[quota.name]}: {quota.count} in {quota.seconds} seconds are allowed. "
            f"Try again in {retry_after} seconds.",
            retry_after,
            quota,
        )


class UserLimits:
    """What each user may do, as far as that is limited."""

    def __init__(self, core: ChatCore, limits: RateLimits) -> None:
        seconds = core.clock.seconds
        self._stream = None if limits.stream is None else Limit("stream", limits.stream, seconds)
        self._edit = None if limits.edit is None else Limit("edit", limits.edit, seconds)
        self._report = None if limits.report is None else Limit("report", limits.report, seconds)
        self._device = None if limits.device is None else Limit("device", limits.device, seconds)
        self._most_waiting = limits.waiting
        self._waiting: dict[int, int] = {}
        self._refused_to_wait = 0
        self.sending: Sending | LimitedSending = core.sending
        if limits.send or limits.general or limits.stranger:
            self.sending = LimitedSending(core, limits)

    def open_stream(self, user: User) -> None:
        """Count one more event stream of a user.

        :raises TooManyRequests: if the user has opened too many lately.
        """
        if self._stream is not None:
            self._stream.take(user.id)

    def change_message(self, user: User) -> None:
        """Count one more edit or withdrawal of a user.

        :raises TooManyRequests: if there were too many lately.
        """
        if self._edit is not None:
            self._edit.take(user.id)

    def report(self, user: User) -> None:
        """Count one more report of a user.

        :raises TooManyRequests: if there were too many lately.
        """
        if self._report is not None:
            self._report.take(user.id)

    def change_tokens(self, user: User) -> None:
        """Count one more token that a user makes or revokes.

        :raises TooManyRequests: if there were too many lately.
        """
        if self._device is not None:
            self._device.take(user.id)

    @contextmanager
    def waiting(self, user: User) -> Iterator[None]:
        """Let one more poll of a user wait.

        :raises TooManyRequests: if too many wait.
        """
        waiting = self._waiting.get(user.id, 0)
        if self._most_waiting is not None and waiting >= self._most_waiting:
            self._refused_to_wait += 1
            raise TooManyRequests(
                f"Too many polls wait: {self._most_waiting} of a user may at the same time.",
                WAITING_AGAIN,
            )
        self._waiting[user.id] = waiting + 1
        try:
            yield
        finally:
            if self._waiting[user.id] == 1:
                del self._waiting[user.id]
            else:
                self._waiting[user.id] -= 1

    def waiting_polls(self) -> int:
        """How many polls wait now."""
        return sum(self._waiting.values())

    def refused(self) -> dict[str, int]:
        """How often each limit has refused something."""
        limits = {
            "stream": self._stream,
            "edit": self._edit,
            "report": self._report,
            "device": self._device,
        }
        if isinstance(self.sending, LimitedSending):
            limits |= self.sending.limits
        refused = {name: limit.refused for name, limit in limits.items() if limit is not None}
        return {**refused, "waiting": self._refused_to_wait}


class LimitedSending:
    """Sends what a user may send now, with the methods of ``Sending``.

    Moderators have no limit.

    :ivar limits: those of sends, by name.
    """

    def __init__(self, core: ChatCore, limits: RateLimits) -> None:
        seconds = core.clock.seconds
        self._sending = core.sending
        self._moderators = core.standings.moderators
        self._store = core.store
        self._private: tuple[Limit, ...] = ()
        if limits.send is not None:
            self._private = (Limit("send", limits.send, seconds),)
        self._general = self._private
        self._only_general: Limit | None = None
        if limits.general is not None:
            window = Window(limits.general, seconds)
            self._only_general = Limit("general", limits.general, seconds, window)
            self._general = (*self._private, self._only_general)
        self._stranger: Limit | None = None
        if limits.stranger is not None:
            self._stranger = Limit("stranger", limits.stranger, seconds)
        self.limits = {
            "send": self._private[0] if self._private else None,
            "general": self._only_general,
            "stranger": self._stranger,
        }
        # Whether the second of two users has ever written to the first.
        self._has_written: FIFOCache[tuple[int, int], bool] = FIFOCache(_REMEMBERED_PAIRS)
        core.live.add_counter(self._count)

    async def send(self, user: User, text: str, key: str | None) -> Message:
        """Send to the general chat.

        :raises TooManyRequests: if the user has sent too much lately.
        :raises InvalidRequest: if the text or the key is not valid.
        :raises StoreUnavailable: if the store can't serve.
        """
        limits = self._general if user.id not in self._moderators else ()
        _begin(limits, user.id)
        try:
            return await self._sending.send(user, text, key)
        finally:
            _end(limits, user.id)

    async def send_private(
        self, user: User, recipient_id: int, text: str, key: str | None
    ) -> Message:
        """Send to one user.

        :raises TooManyRequests: if the user has sent too much lately, or to too many strangers.
        :raises InvalidRequest: if the text or the key is not valid.
        :raises UnknownRecipient: if nobody has that id.
        :raises StoreUnavailable: if the store can't serve.
        """
        if user.id in self._moderators:
            return await self._sending.send_private(user, recipient_id, text, key)
        limits = self._private
        _begin(limits, user.id)
        try:
            if self._stranger is not None and await self._is_stranger(recipient_id, user):
                self._stranger.take(user.id)
            return await self._sending.send_private(user, recipient_id, text, key)
        finally:
            _end(limits, user.id)

    async def _is_stranger(self, other_id: int, user: User) -> bool:
        """Whether somebody has not written to a user, or not for a long time."""
        if other_id == user.id:
            return False
        pair = (user.id, other_id)
        has_written = self._has_written.get(pair)
        if has_written is None:
            # What is committed meanwhile is counted, and found here.
            self._has_written[pair] = False
            found = await self._store.read_private(*pair, None, _LOOKED_THROUGH)
            if any(message.sender_id == other_id for message in found):
                self._has_written[pair] = True
            has_written = self._has_written.get(pair, False)
        return not has_written

    def _count(self, entries: list[Entry]) -> None:
        """Count what the log tells of, be it of this node or of another."""
        for message in entries:
            if type(message) is not Message:
                continue
            sender_id = message.sender_id
            for limit in self._private:
                limit.count(sender_id)
            if message.recipient_id is not None:
                pair = (message.recipient_id, sender_id)
                if pair in self._has_written:
                    self._has_written[pair] = True
            elif self._only_general is not None:
                self._only_general.count(sender_id)


def _begin(limits: tuple[Limit, ...], user_id: int) -> None:
    """Note that a user sends something, if that is allowed."""
    begun = 0
    try:
        for limit in limits:
            limit.begin(user_id)
            begun += 1
    except TooManyRequests:
        _end(limits[:begun], user_id)
        raise


def _end(limits: tuple[Limit, ...], user_id: int) -> None:
    """Note that something is no longer under way."""
    for limit in limits:
        limit.end(user_id)
