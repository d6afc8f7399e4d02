"""Jobs done in batches, one batch at a time: group commit.

All that is submitted while a batch is under way goes into the next one, and all
that one turn of the reactor submits goes over as one list.  So the cost of a
batch (a commit with its disk sync, the way to the thread or process that does it and
back) is shared by all in it, and grows rarer the busier it is.

A job that can't be done fails alone.  A store that is away fails all that wait, at once.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from chatter.histograms import BatchCounts
from chatter.log.pending import Pending
from chatter.protocol.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from twisted.python.failure import Failure

Job = TypeVar("Job")


class Batches(Generic[Job]):
    """Hands lists of jobs to ``work``, the next one when the last one is done.

    :param reactor: an ``IReactorTime`` provider.
    :param work: does a batch; returns one result for each job, in order, an exception
        being a result too.  When it raises, nothing of the batch has been done:
        after :class:`chatter.protocol.errors.StoreUnavailable` all jobs fail, those that
        still wait included; after any other exception each job is done in a batch of its
        own, so that only the one at fault fails.
    :param most: a batch has at most so many jobs.
    :param ahead: begin a batch before the results of the last one are delivered, and not
        after it: for work that another process does.  A thread of this one would only
        compete for the interpreter's lock with those that get the results.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        work: Callable[[list[Job]], Coroutine[Any, Any, list[Any]]],
        most: int = sys.maxsize,
        *,
        ahead: bool = False,
    ) -> None:
        self._reactor = reactor
        self._work = work
        self._most = most
        self._ahead = ahead
        self._counts: BatchCounts | None = None
        self._began = 0.0
        self._jobs: list[Job] = []
        self._pending: list[Pending[Any]] = []
        self._busy = False
        self._open = False
        self._idle: Deferred[None] | None = None

    def __len__(self) -> int:
        return len(self._jobs)

    def count(self) -> BatchCounts:
        """Count the batches from now on; without that, none is counted."""
        self._counts = BatchCounts()
        return self._counts

    @property
    def is_open(self) -> bool:
        """Whether jobs are taken."""
        return self._open

    def start(self) -> None:
        """Take jobs from now on."""
        self._open = True

    async def stop(self) -> None:
        """Take no more, and finish all that was submitted."""
        self._open = False
        if self._busy:
            self._idle = Deferred()
            await self._idle

    def submit(self, job: Job) -> Pending[Any]:
        """Do a job in the next batch; fires with its result.

        Not to wait for that changes nothing about the job.  If no jobs are taken, the
        result is :class:`chatter.protocol.errors.StoreUnavailable`.
        """
        result: Pending[Any] = Pending()
        if not self._open:
            result.fire(StoreUnavailable("The store is not open."))
            return result
        self._jobs.append(job)
        self._pending.append(result)
        if not self._busy:
            self._run_soon()
        return result

    def _run_soon(self) -> None:
        # The rest of this turn's jobs shall come along, and what it has to send leave first.
        self._busy = True
        self._reactor.callLater(0, self._run)

    def _run(self) -> None:
        jobs, self._jobs = self._jobs[: self._most], self._jobs[self._most :]
        pending, self._pending = self._pending[: self._most], self._pending[self._most :]
        if self._counts is not None:
            self._counts.sizes.observe(len(jobs))
            self._began = self._reactor.seconds()
        done = Deferred.fromCoroutine(self._work(jobs))
        done.addErrback(self._failed, jobs, pending)
        done.addCallback(self._fire, pending)

    def _failed(
        self, failure: Failure, jobs: list[Job], pending: list[Pending[Any]]
    ) -> list[Any] | Deferred[list[Any]]:
        error = failure.value
        if isinstance(error, StoreUnavailable):
            # What waits would only wait as long for the same.
            pending += self._pending
            self._jobs, self._pending = [], []
        elif len(jobs) > 1:
            return Deferred.fromCoroutine(self._one_by_one(jobs))
        return [error] * len(pending)

    async def _one_by_one(self, jobs: list[Job]) -> list[Any]:
        results: list[Any] = []
        for number, job in enumerate(jobs):
            try:
                results += await self._work([job])
            except StoreUnavailable as error:
                results += [error] * (len(jobs) - number)
                break
            except Exception as error:  # noqa: BLE001 - it is the result of that job
                results.append(error)
        return results

    def _fire(self, results: list[Any], pending: list[Pending[Any]]) -> None:
        if self._counts is not None:
            self._counts.seconds.observe(self._reactor.seconds() - self._began)
        self._busy = self._ahead and bool(self._jobs)
        if self._busy:
            self._run()
        for one, result in zip(pending, results, strict=True):
            try:
                one.fire(result)
            except BaseException:  # noqa: BLE001 - one that fails with its result fails alone
                self._log.failure("A coroutine that waited for a job of a batch failed.")
        if self._jobs and not self._busy:
            self._run_soon()
        if self._idle is not None and not self._busy:
            idle, self._idle = self._idle, None
            idle.callback(None)
