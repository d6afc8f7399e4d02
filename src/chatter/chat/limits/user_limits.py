"""What each user may do now, as far as that is limited."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from chatter.chat.limits.limit import Limit
from chatter.chat.limits.limited_sending import LimitedSending
from chatter.protocol.errors import TooManyRequests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chatter.chat.core import ChatCore
    from chatter.chat.limits.rate_limits import RateLimits
    from chatter.chat.messages.sending import Sending
    from chatter.protocol.model import User

WAITING_AGAIN = 5
"""After so many seconds a poll may be tried again that is one too many."""


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
