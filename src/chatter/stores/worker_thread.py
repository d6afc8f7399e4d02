"""One thread for what blocks, one thing after the other.

Two threads of Python that are both busy fight for the interpreter's lock.  So it is
best given much to do at once.
"""

from __future__ import annotations

from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


class WorkerThread:
    """A thread of its own.

    :param reactor: an ``IReactorFromThreads`` provider.
    :param name: what the thread is called.
    """

    def __init__(self, reactor: Any, name: str) -> None:
        self._reactor = reactor
        self._name = name
        # In C, unlike the queue of a pool of threads, which costs more than a small batch.
        self._calls: SimpleQueue[tuple[Callable[[], Any], Deferred[Any]] | None] = SimpleQueue()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start it."""
        self._thread = Thread(target=self._work_off, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it, which must have nothing to do any more."""
        if self._thread is not None:
            self._calls.put(None)
            self._thread.join()
            self._thread = None

    def run(self, call: Callable[[], Result]) -> Deferred[Result]:
        """Call something in the thread; fires in the reactor's with what it returns."""
        done: Deferred[Result] = Deferred()
        self._calls.put((call, done))
        return done

    def _work_off(self) -> None:
        while (next_call := self._calls.get()) is not None:
            call, done = next_call
            try:
                result = call()
            except Exception:  # noqa: BLE001 - it is the result
                self._reactor.callFromThread(done.errback, Failure())
            else:
                self._reactor.callFromThread(done.callback, result)
