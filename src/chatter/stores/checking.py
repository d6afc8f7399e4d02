"""Whether a store can serve: known within a second, whatever the store waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from chatter.protocol.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Coroutine

CHECK_PATIENCE = 1.0
"""A store that does not respond within so many seconds can't serve."""


async def in_time(reactor: Any, check: Coroutine[Any, Any, None]) -> None:
    """Wait for a check, but not for long.

    :param reactor: an ``IReactorTime`` provider.
    :raises StoreUnavailable: if the check does, or takes longer than :data:`CHECK_PATIENCE`.
    """
    await Deferred.fromCoroutine(check).addTimeout(CHECK_PATIENCE, reactor, _too_late)


def _too_late(_: object, __: float) -> None:
    raise StoreUnavailable("The store does not respond.", 2)
