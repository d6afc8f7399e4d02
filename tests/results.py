"""Results of what is over at once, such as what a chat in memory does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatter.testing.waiting import begun

if TYPE_CHECKING:
    from collections.abc import Awaitable


def result_of(awaitable: Awaitable[Any]) -> Any:
    """What an awaitable returns that waits for nothing that a test has to bring about."""
    results: list[Any] = []
    begun(awaitable).addBoth(results.append)
    (result,) = results
    if hasattr(result, "raiseException"):
        result.raiseException()
    return result
