"""Several things at once."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock, deferLater

from chatter.terminal.race import first_to_end


class Runner:
    """Something that takes its time, and notes that it ended."""

    def __init__(self):
        self.clock = Clock()
        self.ended: list[str] = []

    async def last(self, seconds, response, error=None):
        try:
            await deferLater(self.clock, seconds)
            if error is not None:
                raise error
        finally:
            self.ended.append(response)
        return response


def test_the_first_to_end_ends_the_others():
    """What runs side by side has all ended when the first has, and that one's result counts."""
    runner = Runner()
    results: list[Any] = []
    running = first_to_end(runner.last(9, "slow"), runner.last(1, "fast"))
    Deferred.fromCoroutine(running).addBoth(results.append)
    assert results == []
    runner.clock.advance(1)
    assert results == ["fast"]
    assert runner.ended == ["fast", "slow"]
    assert runner.clock.getDelayedCalls() == []


def test_the_first_to_fail_ends_the_others():
    """An error is raised as it is, and cancels what still runs."""
    runner = Runner()
    results: list[Any] = []
    running = first_to_end(runner.last(1, "failing", LookupError()), runner.last(9, "slow"))
    Deferred.fromCoroutine(running).addBoth(results.append)
    runner.clock.advance(1)
    with pytest.raises(LookupError):
        results[0].raiseException()
    assert runner.ended == ["failing", "slow"]


def test_one_that_takes_its_time_to_end_is_waited_for():
    """Cancelling is over when all have ended, and nobody is hurried by being cancelled twice."""
    cancelled: list[Any] = []
    results: list[Any] = []
    ending: Deferred[None] = Deferred(cancelled.append)

    def begin_to_end(waiting):
        cancelled.append(waiting)
        waiting.callback(None)

    async def slow_to_end():
        await Deferred(begin_to_end)
        await ending

    running = Deferred.fromCoroutine(first_to_end(slow_to_end(), Runner().last(1, "other")))
    running.addBoth(results.append)
    running.cancel()
    assert len(cancelled) == 1
    assert results == []
    ending.callback(None)
    assert results[0].check(CancelledError)


def test_cancelling_ends_all_of_them():
    """Who gives up on the whole gives up on each."""
    runner = Runner()
    results: list[Any] = []
    running = Deferred.fromCoroutine(first_to_end(runner.last(1, "one"), runner.last(2, "two")))
    running.addBoth(results.append)
    running.cancel()
    assert results[0].check(CancelledError)
    assert runner.ended == ["one", "two"]
