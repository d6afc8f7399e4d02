"""Coroutines that respond to requests, without a Deferred of their own.

Most responses come from memory, without waiting for anything: their coroutine
ends at its first step.  One that has to wait is resumed by the very thing that it
waits for.  ``Deferred.fromCoroutine`` would do the same for any caller; it made a
fifth of all that a send executes, for a Deferred that nobody else ever sees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from chatter.log.pending import Pending

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

Value = TypeVar("Value")

WaitsFor: TypeAlias = "Deferred[Any] | Pending[Any]"


class DrivenCoroutine(Generic[Value]):
    """A coroutine that was begun, and waits for something.

    :param done: called with what the coroutine returns, or with what it raises; not
        called if it was cancelled, and ends with the ``CancelledError`` of that.
    """

    __slots__ = ("_coroutine", "_done", "_is_cancelled", "_waits_for")

    def __init__(
        self,
        coroutine: Coroutine[WaitsFor, Any, Value],
        waits_for: WaitsFor,
        done: Callable[[Value | BaseException], None],
    ) -> None:
        self._coroutine = coroutine
        self._done = done
        self._is_cancelled = False
        self._waits_for: WaitsFor | None
        self._wait_for(waits_for)

    def cancel(self) -> None:
        """Give up what it waits for: a ``CancelledError`` is raised there.  Not once it ended."""
        waits_for, self._waits_for = self._waits_for, None
        self._is_cancelled = True
        if isinstance(waits_for, Deferred):
            waits_for.cancel()
        elif waits_for is not None:
            waits_for.when_fired(_forget)
            self._go_on(Failure(CancelledError()))

    def _wait_for(self, waits_for: WaitsFor) -> None:
        self._waits_for = waits_for
        if isinstance(waits_for, Pending):
            waits_for.when_fired(self._go_on)
        else:
            waits_for.addBoth(self._go_on)

    def _go_on(self, result: object) -> None:
        self._waits_for = None
        try:
            if isinstance(result, Failure):
                waits_for = result.throwExceptionIntoGenerator(self._coroutine)
            else:
                # The coroutine takes the result from what it waited for.
                waits_for = self._coroutine.send(None)
            self._wait_for(waits_for)
        except StopIteration as done:
            value: Value = done.value
        except BaseException as error:  # noqa: BLE001 - it is the outcome
            if not (self._is_cancelled and isinstance(error, CancelledError)):
                self._done(error)
            # Its frames hold it: a circle that only the garbage collector would break.
            error.__traceback__ = None
            return
        else:
            return
        self._done(value)


def _forget(_: None) -> None:
    pass
