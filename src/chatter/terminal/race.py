"""A race of coroutines: the first one to end cancels the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred, DeferredList, FirstError

if TYPE_CHECKING:
    from collections.abc import Coroutine

Result = TypeVar("Result")


async def first_to_end(*coroutines: Coroutine[Deferred[Any], Any, Result]) -> Result:
    """Run coroutines side by side; the result or the error of the first to end.

    The others are cancelled, and have ended too when this ends.  One that makes
    another end must not do so while it runs: only what waits can be cancelled.
    """
    running = [Deferred.fromCoroutine(coroutine) for coroutine in coroutines]
    # Cancelling this does not cancel the list: each is cancelled once, below.  A second
    # time would cut short what it does to end.
    ended: Deferred[tuple[Result, int]] = Deferred()
    DeferredList(
        running, fireOnOneCallback=True, fireOnOneErrback=True, consumeErrors=True
    ).chainDeferred(ended)
    try:
        result, _ = await ended
    except FirstError as error:
        error.subFailure.raiseException()
    finally:
        for one in running:
            one.cancel()
        await DeferredList(running, consumeErrors=True)
    return result
