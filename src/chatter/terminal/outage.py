"""Waiting until a server that is away is back."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Protocol, TypeVar

from twisted.internet.task import deferLater

from chatter.client import NoResponse, ServerUnreachable
from chatter.protocol.errors import TooManyRequests, TransientError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from twisted.internet.interfaces import IReactorTime

Value = TypeVar("Value")


class Persist(Protocol):
    """What to do when the server is away: :meth:`Outage.outlast`, or :func:`give_up`."""

    async def __call__(self, request: Callable[[], Awaitable[Value]]) -> Value:
        """Make a request, which may be repeated, and return what it results in."""


async def give_up(request: Callable[[], Awaitable[Value]]) -> Value:
    """Make the request once; the client's own retries are all the patience there is."""
    return await request()


_SILENCE = 60.0
"""For so many seconds nothing more is said about limits."""

PAUSE = 2.0
"""The least seconds between two attempts."""


class Outage:
    """Repeats requests until they succeed; says once that the server is away, once that it is back.

    :param tell: shows a line to the person at the terminal.
    :param how_long: for how long it is tried again, as it is said.

    :ivar is_on: whether the server is away.
    """

    def __init__(
        self, clock: IReactorTime, tell: Callable[[str], None], how_long: str = "until it works"
    ) -> None:
        self.is_on = False
        self._clock = clock
        self._tell = tell
        self._forget: list[Callable[[], None]] = []
        self._how_long = how_long
        self._was_connected = False
        self._told_of_limit = -inf

    def add_memory(self, forget: Callable[[], None]) -> None:
        """Have what is known of the server forgotten when the connection is lost.

        What comes back may be the same chat from a backup, in which the ids of some users
        are those of others.
        """
        self._forget.append(forget)

    async def outlast(self, request: Callable[[], Awaitable[Value]]) -> Value:
        """The result of a request, however often it has to be made."""
        while True:
            try:
                result = await request()
            except (ServerUnreachable, TransientError) as error:
                self.lost(error)
                await deferLater(self._clock, max(PAUSE, error.retry_after))
            else:
                self.found()
                return result

    def lost(self, error: NoResponse | TransientError) -> None:
        """Say that the server is away, or lets one wait, unless that was said."""
        if isinstance(error, TooManyRequests):
            self._is_limited(error)
            return
        if self.is_on:
            return
        self.is_on = True
        self._forget_all()
        if self._was_connected:
            self._tell(f"Connection lost; reconnecting. {error.detail}")
        else:
            self._tell(f"{error.detail} Trying again {self._how_long}.")

    def _is_limited(self, error: TooManyRequests) -> None:
        """Say why there is a pause; what waits for it is sent in the end."""
        now = self._clock.seconds()
        if now - self._told_of_limit >= _SILENCE:
            self._told_of_limit = now
            self._tell(f"The server lets you wait. {error.detail}")

    def found(self) -> None:
        """Say that the server is back, if it was away."""
        if self.is_on:
            self.is_on = False
            self._tell("Connected again." if self._was_connected else "Connected.")
        self._was_connected = True

    def history_changed(self, moved_from: int, moved_to: int) -> None:  # noqa: ARG002
        """Say that the server has lost messages that were read."""
        self._forget_all()
        self._tell(
            "The server's history was restored to an older state: "
            "some messages that you have read are not in it."
        )

    def no_longer_kept(self, after: int, until: int) -> None:  # noqa: ARG002
        """Say that there were messages that may have been for this person."""
        self._tell("… older messages are no longer kept; you may have missed some.")

    def _forget_all(self) -> None:
        for forget in self._forget:
            forget()
