"""A result that is still to come, for one coroutine that waits for it.

A ``Deferred`` can do far more than to be awaited: a chain of callbacks, cancelling,
pausing.  That took an eighth of all that a send executes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

Value = TypeVar("Value")

_NOT_YET: Any = object()


class Pending(Generic[Value]):
    """An awaitable that fires once, for one who waits.

    Any coroutine may await it, whoever drives that; it can do nothing else.
    """

    __slots__ = ("_outcome", "_tell")

    def __init__(self) -> None:
        self._outcome: Value | BaseException = _NOT_YET
        self._tell: Callable[[None], object] | None = None

    def __await__(self) -> Generator[Any, Any, Value]:
        """Wait for the outcome: return it, or raise it if it is an exception."""
        if self._outcome is _NOT_YET:
            # Our own driver has itself told, and goes on with None then.  Twisted's sends
            # back at once what is no Deferred (see ``inlineCallbacks``): it gets one.
            sent_back = yield self
            if sent_back is self:
                deferred: Deferred[None] = Deferred()
                self._tell = deferred.callback
                yield from deferred
        outcome = self._outcome
        if isinstance(outcome, BaseException):
            # It may be the outcome of others, too, and is not to collect all their frames.
            raise outcome.with_traceback(None)
        return outcome

    def when_fired(self, tell: Callable[[None], object]) -> None:
        """Have something called once the outcome is there, instead of what was to be called."""
        self._tell = tell

    def fire(self, outcome: Value | BaseException) -> None:
        """Say what came of it."""
        self._outcome = outcome
        # Who waits knows this object: a circle that only the garbage collector would break.
        tell, self._tell = self._tell, None
        if tell is not None:
            tell(None)
