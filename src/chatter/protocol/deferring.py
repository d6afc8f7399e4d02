"""Methods that are written as coroutines and return Deferreds.

A caller of Twisted code expects a Deferred: work begins with the call, whether or not
its result is awaited, and callbacks can be added to it.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from twisted.internet.defer import Deferred, succeed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

Parameters = ParamSpec("Parameters")
Value = TypeVar("Value")


def when_done(result: object) -> Deferred[Any]:
    """What Twisted's interfaces call maybe a Deferred, as one."""
    return result if isinstance(result, Deferred) else succeed(result)


def returns_deferred(
    method: Callable[Parameters, Coroutine[Any, Any, Value]],
) -> Callable[Parameters, Deferred[Value]]:
    """Make a coroutine method return a Deferred, which fires with what it returns."""

    @wraps(method)
    def begin(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Deferred[Value]:
        return Deferred.fromCoroutine(method(*args, **kwargs))

    return begin
