"""Jobs done in batches: what befalls one does not befall the others."""

from __future__ import annotations

import asyncio
import gc

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatter.stores.batches import Batches


class Working:
    """Batches whose work ends when the test says so."""

    def __init__(self, *, ahead=False):
        self.clock = Clock()
        self.under_way = []
        self.begun = []
        self.batches = Batches(self.clock, self.work, most=3, ahead=ahead)
        self.batches.start()

    async def work(self, jobs):
        self.begun.append(jobs)
        done: Deferred[None] = Deferred()
        self.under_way.append(done)
        await done
        return jobs

    def finish(self):
        self.under_way.pop().callback(None)

    def heard(self, job, hear):
        """Submit a job, and have its result heard."""
        self.batches.submit(job).when_fired(hear)


@pytest.mark.parametrize("ahead", [True, False])
@pytest.mark.parametrize("error", [RuntimeError, asyncio.CancelledError])
def test_who_fails_with_a_response_fails_alone(logged, error, ahead):
    """The others of the batch have theirs, the next batch begins, and there is an end."""
    working = Working(ahead=ahead)
    results: list[None] = []

    def fail(_):
        raise error("A defect.")

    working.heard(1, fail)
    working.heard(2, results.append)
    working.clock.advance(0)
    working.heard(3, results.append)
    stopped = Deferred.fromCoroutine(working.batches.stop())
    working.finish()
    assert len(results) == 1
    working.clock.advance(0)
    working.finish()
    assert len(results) == 2
    assert stopped.called
    assert not working.clock.getDelayedCalls()
    assert [event["log_failure"].getErrorMessage() for event in logged] == ["A defect."]


def test_it_can_be_stopped_busy_and_started_again(logged):
    """What is done then ends as before."""
    working = Working()
    working.batches.submit(1)
    working.clock.advance(0)
    stopped: list[None] = []
    Deferred.fromCoroutine(working.batches.stop()).addCallback(stopped.append)
    assert not stopped
    working.finish()
    assert len(stopped) == 1
    working.batches.start()
    results: list[None] = []
    working.heard(2, results.append)
    working.clock.advance(0)
    working.finish()
    assert len(results) == 1
    # What a Deferred did not get rid of is only logged now.
    gc.collect()
    assert not logged


@pytest.mark.parametrize("ahead", [True, False])
def test_the_next_batch_begins_before_or_after_the_responses(ahead):
    """After them all that they led to comes along; either way it is one batch at a time."""
    working = Working(ahead=ahead)
    seen = []

    def responded(_):
        seen.append(list(working.begun))
        working.batches.submit(len(seen) + 4)

    for job in (1, 2):
        working.heard(job, responded)
    working.clock.advance(0)
    for job in (3, 4):
        working.batches.submit(job)
    first, second = [1, 2], [3, 4]
    working.finish()
    assert seen == 2 * [working.begun]
    assert working.begun == ([first, second] if ahead else [first])
    working.clock.advance(0)
    assert working.begun == [first, second if ahead else [3, 4, 5]]
    working.finish()
    working.clock.advance(0)
    assert working.begun[2:] == [[5, 6] if ahead else [6]]
    working.finish()
    assert not working.clock.getDelayedCalls()
