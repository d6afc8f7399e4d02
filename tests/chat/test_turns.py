"""A few at a time do what costs memory."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from chatter.chat.turns import Turns
from chatter.protocol.errors import StoreUnavailable
from chatter.testing.waiting import begun


class Worker:
    """Works when it has its turn, until it is told to end."""

    def __init__(self, turns):
        self.works = False
        self._end: Deferred[None] = Deferred()
        self.outcome: Any = None
        self._begun = begun(self._work(turns))
        self._begun.addBoth(self._ended)

    async def _work(self, turns):
        async with turns:
            self.works = True
            await self._end

    def _ended(self, outcome):
        self.works = False
        self.outcome = outcome

    def end(self):
        self._end.callback(None)

    def fail(self, error):
        self._end.errback(error)

    def cancel(self):
        self._begun.cancel()


def test_so_many_work_at_a_time_in_the_order_in_which_they_came():
    """One that ends lets the next one in."""
    turns = Turns(2)
    workers = [Worker(turns) for _ in range(5)]
    assert [worker.works for worker in workers] == [True, True, False, False, False]
    workers[1].end()
    assert [worker.works for worker in workers] == [True, False, True, False, False]
    for number in (0, 2, 3, 4):
        workers[number].end()
    assert not any(worker.works for worker in workers)
    assert [worker.outcome for worker in workers] == [None] * 5
    assert Worker(turns).works


def test_one_that_gives_up_lets_the_next_one_in():
    """Whether it waited or worked."""
    turns = Turns(1)
    workers = [Worker(turns) for _ in range(4)]
    workers[1].cancel()
    workers[0].cancel()
    assert workers[2].works
    assert workers[1].outcome.check(CancelledError)
    workers[2].end()
    assert workers[3].works


def test_a_store_that_is_away_is_away_for_all_who_wait():
    """They need not find out one after the other."""
    turns = Turns(1)
    workers = [Worker(turns) for _ in range(3)]
    workers[0].fail(StoreUnavailable("away"))
    for worker in workers:
        assert worker.outcome.check(StoreUnavailable)
    assert Worker(turns).works


def test_another_failure_is_the_own_one():
    """It does not touch the others."""
    turns = Turns(1)
    workers = [Worker(turns) for _ in range(2)]
    workers[0].fail(ZeroDivisionError())
    assert workers[0].outcome.check(ZeroDivisionError)
    assert workers[1].works


@pytest.mark.parametrize("many", [10_000])
def test_however_many_wait(many):
    """Turns that end at once are passed on without end, not deeper and deeper."""
    turns = Turns(1)
    first = Worker(turns)
    workers = [Worker(turns) for _ in range(many)]
    for worker in workers:
        worker.end()
    first.end()
    assert all(worker.outcome is None and not worker.works for worker in workers)
    assert Worker(turns).works
