"""Turns: only a few callers at a time do what costs memory; the others wait."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from chatter.protocol.errors import StoreUnavailable

if TYPE_CHECKING:
    from types import TracebackType


class Turns:
    """A semaphore that is fair, and passes errors on: ``async with turns``.

    :param most: how many may have a turn at the same time.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._is_passing_on = False
        self._waiting: deque[Deferred[None]] = deque()

    async def __aenter__(self) -> None:
        """Wait for a turn.

        :raises StoreUnavailable: if the store was away in the turn of another one.
        """
        if self._free and not self._waiting:
            self._free -= 1
            return
        turn: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(turn)
        await turn

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the turn back.

        If the store was away, all that wait fail with the same error, at once.
        """
        if isinstance(error, StoreUnavailable):
            waiting = list(self._waiting)
            self._waiting.clear()
            for other in waiting:
                other.errback(StoreUnavailable(error.detail, error.retry_after))
        self._free += 1
        if self._waiting:
            self._pass_on()

    def _pass_on(self) -> None:
        """Give free turns to those who wait; one that ends meanwhile is given in the same loop."""
        if self._is_passing_on:
            return
        self._is_passing_on = True
        while self._free and self._waiting:
            self._free -= 1
            self._waiting.popleft().callback(None)
        self._is_passing_on = False
