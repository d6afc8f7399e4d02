"""Going on when the server is away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from twisted.internet.task import deferLater

from chatter.client import NoResponse, ServerUnreachable
from chatter.protocol.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from twisted.internet.interfaces import IReactorTime

Value = TypeVar("Value")


class Persist(Protocol):
    """What to do when the server is away: :meth:`Outage.outlast`, or :func:`give_up`."""

    async def __call__(
        self, ask: Callable[[], Awaitable[Value]], *, is_repeatable: bool = True
    ) -> Value:
        """Ask, and answer what is answered."""


async def give_up(
    ask: Callable[[], Awaitable[Value]],
    *,
    is_repeatable: bool = True,  # noqa: ARG001 - it is not asked again in any case
) -> Value:
    """What is answered to the first question; where nobody waits for the server."""
    return await ask()


PAUSE = 2.0
"""So many seconds lie at least between two looks whether the server is back."""


class Outage:
    """Asks until there is an answer; says once that the server is away, once that it is back.

    :param tell: says something to the person at the terminal.
    """

    def __init__(self, clock: IReactorTime, tell: Callable[[str], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._is_on = False

    async def outlast(
        self, ask: Callable[[], Awaitable[Value]], *, is_repeatable: bool = True
    ) -> Value:
        """What is answered, however long it takes.

        :param is_repeatable: whether to ask again if it may have been done already.
        :raises ServerUnreachable: if it may have been done, and is not repeatable.
        """
        while True:
            try:
                result = await ask()
            except (ServerUnreachable, TransientError) as error:
                if (
                    isinstance(error, ServerUnreachable)
                    and error.may_have_arrived
                    and not is_repeatable
                ):
                    raise
                self.lost(error)
                await deferLater(self._clock, max(PAUSE, error.retry_after))
            else:
                self.found()
                return result

    def lost(self, error: NoResponse | TransientError) -> None:
        """Say that the server is away, unless that was said."""
        if not self._is_on:
            self._is_on = True
            self._tell(f"{error.detail} Trying again until it works.")

    def found(self) -> None:
        """Say that the server is back, if it was away."""
        if self._is_on:
            self._is_on = False
            self._tell("The server is back.")
