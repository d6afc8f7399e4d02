"""One thread that does blocking work in batches: group commit.

All that is submitted while a batch is under way goes into the next one, and all
that one turn of the reactor submits goes over as one list.  So the cost of a
batch (a commit with its disk sync, two changes of thread, the fight for the
interpreter lock) is shared by all in it, and grows rarer the busier it is.
"""

from __future__ import annotations

from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatter.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

Job = TypeVar("Job")


class BatchThread(Generic[Job]):
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
        name: str = "chatter batches",
    ) -> None:
        self._reactor = reactor
        self._work = work
        self._before_answers = before_answers
        self._name = name
        self._batches: SimpleQueue[list[tuple[Job, Deferred[Any]]] | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._waiting: list[tuple[Job, Deferred[Any]]] = []
        self._busy = False
        self._open = False
        self._idle: Deferred[None] | None = None

    def start(self) -> None:
        """Start the thread."""
        # Not one of a pool: it is never lent to anybody else, and has its own state.
        self._thread = Thread(target=self._work_off, name=self._name, daemon=True)
        self._thread.start()
        self._open = True

    async def stop(self) -> None:
        """Finish all that was submitted, then end the thread."""
        self._open = False
        if self._busy:
            self._idle = Deferred()
            await self._idle
        if self._thread is not None:
            self._batches.put(None)
            self._thread.join()
            self._thread = None

    def submit(self, job: Job) -> Deferred[Any]:
        """Do a job in the next batch; fires with its result.

        Cancelling it changes nothing about the job, only who hears of it.

        :raises StoreUnavailable: if the thread does not run.
        """
        if not self._open:
            raise StoreUnavailable("The store is not open.")
        answer: Deferred[Any] = Deferred()
        self._waiting.append((job, answer))
        if not self._busy:
            self._busy = True
            # The rest of this turn's jobs shall come along.
            self._reactor.callLater(0, self._run)
        return answer

    def _run(self) -> None:
        batch, self._waiting = self._waiting, []
        self._batches.put(batch)

    def _work_off(self) -> None:
        """Do one batch after the other; runs in the thread."""
        while (batch := self._batches.get()) is not None:
            try:
                results = self._work([job for job, _ in batch])
            except Exception as error:  # noqa: BLE001 - it is the answer to each of the jobs
                results = [error] * len(batch)
            self._reactor.callFromThread(self._answer, batch, results)

    def _answer(self, batch: list[tuple[Job, Deferred[Any]]], results: list[Any]) -> None:
        if self._waiting:
            self._run()
        else:
            self._busy = False
        if self._before_answers is not None:
            self._before_answers(results)
        for (_, answer), result in zip(batch, results, strict=True):
            if answer.called:
                continue
            if isinstance(result, Exception):
                answer.errback(Failure(result))
            else:
                answer.callback(result)
        if self._idle is not None and not self._busy:
            self._idle.callback(None)
