"""One thread that does blocking work in batches.

Two threads of Python that are both busy fight for the interpreter's lock.  So a
batch goes to the thread as one list, and all its answers come back in one call.
"""

from __future__ import annotations

from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatter.stores.batches import Batches

if TYPE_CHECKING:
    from collections.abc import Callable

Job = TypeVar("Job")

_Batch: TypeAlias = "tuple[list[Job], Deferred[list[Any]]]"


class BatchThread(Batches[Job]):
    """Runs ``work`` with lists of jobs, in a thread of its own, one list at a time.

    :param reactor: an ``IReactorTime`` and ``IReactorFromThreads`` provider.
    :param work: called in the thread with a batch; returns one result for each
        job, in order, an exception being a result too.  What it raises is the
        result of each job.
    :param before_answers: called in the reactor thread with the results of a
        batch, before any of them is handed to who submitted the job.
    :param name: what the thread is called.
    """

    def __init__(
        self,
        reactor: Any,
        work: Callable[[list[Job]], list[Any]],
        before_answers: Callable[[list[Any]], None] | None = None,
        name: str = "chatter batches",
    ) -> None:
        super().__init__(reactor, self._in_thread, before_answers)
        self._blocking_work = work
        self._name = name
        # In C, unlike the queue of a pool of threads, which costs more than a small batch.
        self._batches: SimpleQueue[_Batch[Job] | None] = SimpleQueue()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = Thread(target=self._work_off, name=self._name, daemon=True)
        self._thread.start()
        super().start()

    async def stop(self) -> None:
        """Finish all that was submitted, then end the thread."""
        await super().stop()
        if self._thread is not None:
            self._batches.put(None)
            self._thread.join()
            self._thread = None

    def _in_thread(self, jobs: list[Job]) -> Deferred[list[Any]]:
        done: Deferred[list[Any]] = Deferred()
        self._batches.put((jobs, done))
        return done

    def _work_off(self) -> None:
        """Do one batch after the other; runs in the thread."""
        while (batch := self._batches.get()) is not None:
            jobs, done = batch
            try:
                results = self._blocking_work(jobs)
            except Exception:  # noqa: BLE001 - it is the answer to each of the jobs
                self._reactor.callFromThread(done.errback, Failure())
            else:
                self._reactor.callFromThread(done.callback, results)
