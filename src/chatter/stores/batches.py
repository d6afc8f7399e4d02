"""Jobs done in batches, one batch at a time: group commit.

All that is submitted while a batch is under way goes into the next one, and all
that one turn of the reactor submits goes over as one list.  So the cost of a
batch (a commit with its disk sync, the way to whoever does it and back) is shared
by all in it, and grows rarer the busier it is.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatter.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

Job = TypeVar("Job")


class Batches(Generic[Job]):
    """Hands lists of jobs to ``work``, the next one when the last one is done.

    :param reactor: an ``IReactorTime`` provider.
    :param work: does a batch; its Deferred fires with one result for each job, in
        order, an exception being a result too.  Its failure is the result of each job.
    :param before_answers: called with the results of a batch, before any of them
        is handed to who submitted the job.
    :param most: a batch has at most so many jobs.
    """

    def __init__(
        self,
        reactor: Any,
        work: Callable[[list[Job]], Deferred[list[Any]]],
        before_answers: Callable[[list[Any]], None] | None = None,
        most: int = sys.maxsize,
    ) -> None:
        self._reactor = reactor
        self._work = work
        self._before_answers = before_answers
        self._most = most
        self._waiting: list[tuple[Job, Deferred[Any]]] = []
        self._busy = False
        self._open = False
        self._idle: Deferred[None] | None = None

    def start(self) -> None:
        """Take jobs from now on."""
        self._open = True

    async def stop(self) -> None:
        """Take no more, and finish all that was submitted."""
        self._open = False
        if self._busy:
            self._idle = Deferred()
            await self._idle

    def submit(self, job: Job) -> Deferred[Any]:
        """Do a job in the next batch; fires with its result.

        Cancelling it changes nothing about the job, only who hears of it.

        :raises StoreUnavailable: if no jobs are taken.
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
        batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        done = self._work([job for job, _ in batch])
        done.addErrback(_each_fails, len(batch))
        done.addCallback(self._answer, batch)

    def _answer(self, results: list[Any], batch: list[tuple[Job, Deferred[Any]]]) -> None:
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


def _each_fails(failure: Failure, number: int) -> list[Any]:
    return [failure.value] * number
