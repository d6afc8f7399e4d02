"""Waiting for results of a store: for one, for many at once, for an error."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, gatherResults

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import User

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)
"""A time, down to the microsecond that a store must keep."""


async def finished(result: object) -> None:
    """Wait for what Twisted's interfaces call maybe a Deferred."""
    if isinstance(result, Deferred):
        await result


async def join(store: IChatStore, *names: str) -> list[User]:
    """Add users, one after the other."""
    return [await store.add_user(name, None, 0, NOW) for name in names]


def begun(awaitable: Awaitable[Any]) -> Deferred[Any]:
    """What is under way now, as a Deferred."""
    return Deferred.fromCoroutine(_awaited(awaitable))


def all_of(awaitables: Iterable[Awaitable[Any]]) -> Deferred[list[Any]]:
    """The results of all of them, which are under way at once."""
    return gatherResults([begun(awaitable) for awaitable in awaitables], consumeErrors=True)


def outcomes_of(awaitables: Iterable[Awaitable[Any]]) -> Deferred[list[Any]]:
    """The results or the exceptions of all of them, which are under way at once."""
    return all_of(_outcome(awaitable) for awaitable in awaitables)


async def must_raise(error: type[Exception], awaitable: Awaitable[Any]) -> None:
    """See that it raises that error."""
    outcome = await _outcome(awaitable)
    assert isinstance(outcome, error), f"{outcome!r} is no {error.__name__}"


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


async def _outcome(awaitable: Awaitable[Any]) -> Any:
    try:
        return await awaitable
    except Exception as error:  # noqa: BLE001 - whatever it is, the test wants to see it
        return error
