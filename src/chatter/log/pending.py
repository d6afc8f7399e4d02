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

    Any coroutine may await it; it can do nothing else.
    """

    __slots__ = ("_outcome", "_resume")

    def __init__(self) -> None:
        self._outcome: Value | BaseException = _NOT_YET
        self._resume: Callable[[None], object] | None = None

    def __await__(self) -> Generator[Any, Any, Value]:
        """Wait for the outcome: return it, or raise it if it is an exception."""
        if self._outcome is _NOT_YET:
            # Our own driver calls ``when_fired``, and later sends None.  Twisted's driver sends
            # back at once what is no Deferred (see ``inlineCallbacks``): it gets one.
            sent_back = yield self
            if sent_back is self:
                deferred: Deferred[None] = Deferred()
                self._resume = deferred.callback
                yield from deferred
        outcome = self._outcome
        if isinstance(outcome, BaseException):
            # It may be the outcome of others, too, and is not to collect all their frames.
            raise outcome.with_traceback(None)
        return outcome

    def when_fired(self, resume: Callable[[None], object]) -> None:
        """Set the one callback, which is called once the outcome is there."""
        self._resume = resume

    def fire(self, outcome: Value | BaseException) -> None:
        """Set the outcome, and resume the coroutine that waits."""
        self._outcome = outcome
        # The coroutine refers to this object: a cycle that only the garbage collector would break.
        resume, self._resume = self._resume, None
        if resume is not None:
            resume(None)
