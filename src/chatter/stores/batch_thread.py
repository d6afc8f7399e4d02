"""One thread that does blocking work in batches.

Two threads of Python that are both busy fight for the interpreter's lock.  So a
batch goes to the thread as one list, and all its answers come back in one call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from chatter.stores.batches import Batches

if TYPE_CHECKING:
    from collections.abc import Callable

Job = TypeVar("Job")


class BatchThread(Batches[Job]):
    """Runs ``work`` with lists of jobs, in a thread of its own, one list at a time.

    :param reactor: an ``IReactorTime`` and ``IReactorFromThreads`` provider.
    :param work: called in the thread with a batch; returns one result for each
        job, in order, an exception being a result too.  What it raises is the
        result of each job.
    :param before_answers: called in the reactor thread with the results of a
        batch, before any of them is handed to who submitted the job.
    """

    def __init__(
        self,
        reactor: Any,
        work: Callable[[list[Job]], list[Any]],
        before_answers: Callable[[list[Any]], None] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(reactor, self._in_thread, before_answers)
        self._blocking_work = work
        self._pool = ThreadPool(1, 1, name)

    def start(self) -> None:
        """Start the thread."""
        self._pool.start()
        super().start()

    async def stop(self) -> None:
        """Finish all that was submitted, then end the thread."""
        await super().stop()
        if self._pool.started:
            self._pool.stop()

    def _in_thread(self, jobs: list[Job]) -> Deferred[list[Any]]:
        done: Deferred[list[Any]] = Deferred()
        self._pool.callInThread(self._do, jobs, done)
        return done

    def _do(self, jobs: list[Job], done: Deferred[list[Any]]) -> None:
        try:
            results = self._blocking_work(jobs)
        except Exception:  # noqa: BLE001 - it is the answer to each of the jobs
            self._reactor.callFromThread(done.errback, Failure())
        else:
            self._reactor.callFromThread(done.callback, results)
