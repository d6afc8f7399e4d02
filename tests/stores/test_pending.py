"""What is still to come: awaited by Twisted's coroutines and by our own."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from chatter.log.pending import Pending
from chatter.protocol.errors import StoreUnavailable
from chatter.web.coroutines import DrivenCoroutine


async def twice(pending):
    return 2 * await pending


def outcomes_by_twisted(pending):
    """What Twisted's driver hears, once it hears it."""
    outcomes: list[Any] = []
    Deferred.fromCoroutine(twice(pending)).addBoth(outcomes.append)
    return outcomes


def outcomes_by_waiting(pending):
    """What our own driver hears, once it hears it."""
    outcomes: list[Any] = []
    coroutine = twice(pending)
    try:
        waits_for = coroutine.send(None)
    except StopIteration as done:
        outcomes.append(done.value)
    else:
        DrivenCoroutine(coroutine, waits_for, outcomes.append)
    return outcomes


@pytest.fixture(params=[outcomes_by_twisted, outcomes_by_waiting])
def outcomes_of(request):
    """Either driver."""
    return request.param


def test_who_waits_goes_on_once_it_fires(outcomes_of):
    """Not before, and with the value."""
    pending: Pending[int] = Pending()
    outcomes = outcomes_of(pending)
    assert outcomes == []
    pending.fire(21)
    assert outcomes == [42]


def test_what_has_fired_is_not_waited_for(outcomes_of):
    """The value is there at once."""
    pending: Pending[int] = Pending()
    pending.fire(21)
    assert outcomes_of(pending) == [42]


def test_nothing_is_left_to_the_garbage_collector(outcomes_of):
    """Who waits knows what it waits for, which knows it no more once it has fired."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            pending: Pending[int] = Pending()
            outcomes = outcomes_of(pending)
            pending.fire(21)
            assert outcomes == [42]
        del pending, outcomes
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_an_exception_is_raised(outcomes_of):
    """In whoever waits; it is the outcome of others, too, and collects no frames of theirs."""
    error = StoreUnavailable("Away.")
    lengths = set()
    for _ in range(3):
        pending: Pending[int] = Pending()
        outcomes_of(pending)
        pending.fire(error)
        length, traceback = 0, error.__traceback__
        while traceback is not None:
            length, traceback = length + 1, traceback.tb_next
        lengths.add(length)
    assert len(lengths) == 1


def test_the_exception_is_the_outcome():
    """Twisted wraps it, our own driver hands it over."""
    error = StoreUnavailable("Away.")
    by_twisted: Pending[int] = Pending()
    by_waiting: Pending[int] = Pending()
    of_twisted, of_waiting = outcomes_by_twisted(by_twisted), outcomes_by_waiting(by_waiting)
    for pending in (by_twisted, by_waiting):
        pending.fire(error)
    assert of_twisted[0].value is error
    assert of_waiting == [error]


def test_twisted_can_give_up_waiting():
    """A Deferred that waits is cancelled; that it fires later is heard by nobody."""
    pending: Pending[int] = Pending()
    outcomes: list[Any] = []
    waiting = Deferred.fromCoroutine(twice(pending))
    waiting.addBoth(outcomes.append)
    waiting.cancel()
    assert outcomes[0].check(CancelledError)
    pending.fire(21)
    assert len(outcomes) == 1


def test_our_own_driver_can_give_up_waiting():
    """The coroutine ends where it waits, and nobody hears of it any more."""
    pending: Pending[int] = Pending()
    ended = []

    async def ends():
        try:
            await pending
        finally:
            ended.append(True)

    outcomes: list[Any] = []
    coroutine = ends()
    waiting = DrivenCoroutine(coroutine, coroutine.send(None), outcomes.append)
    waiting.cancel()
    assert ended == [True]
    pending.fire(21)
    assert outcomes == []


def test_who_has_ended_gives_nothing_up():
    """A client that goes while its response is on the way is heard of late."""
    outcomes: list[Any] = []
    pending: Pending[int] = Pending()
    coroutine = twice(pending)
    waiting = DrivenCoroutine(coroutine, coroutine.send(None), outcomes.append)
    pending.fire(21)
    waiting.cancel()
    assert outcomes == [42]
