"""A check has a result in time, and one is enough for all who want to know."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from chatter.protocol.errors import StoreUnavailable
from chatter.stores.checking import CHECK_PATIENCE, Check
from chatter.testing.waiting import begun


@pytest.fixture
def under_way():
    return []


@pytest.fixture
def check(clock, under_way):
    async def wait():
        under_way.append(Deferred())
        await under_way[-1]

    return Check(clock, wait)


def outcomes_of(check, number):
    """What some who ask at the same time hear, once they do."""
    outcomes: list[object] = []
    for _ in range(number):
        begun(check.result()).addBoth(outcomes.append)
    return outcomes


def test_one_check_is_for_all(check, clock, under_way):
    """However many ask while it is under way; the next one is a new one."""
    outcomes = outcomes_of(check, 3)
    assert len(under_way) == 1
    under_way[0].callback(None)
    assert outcomes == [None] * 3
    outcomes = outcomes_of(check, 2)
    under_way[1].errback(StoreUnavailable("Away."))
    assert [outcome.value.detail for outcome in outcomes] == ["Away."] * 2
    assert not clock.getDelayedCalls()


def test_a_check_that_takes_too_long_has_failed(check, clock, under_way):
    """And whoever asks while it still hangs is told at once."""
    first = outcomes_of(check, 1)
    clock.advance(CHECK_PATIENCE * 0.75)
    second = outcomes_of(check, 1)
    clock.advance(CHECK_PATIENCE * 0.25)
    third = outcomes_of(check, 1)
    for outcomes in (first, second, third):
        assert isinstance(outcomes[0].value, StoreUnavailable)
    assert len(under_way) == 1
    under_way[0].callback(None)
    fourth = outcomes_of(check, 1)
    under_way[1].callback(None)
    assert fourth == [None]
    assert not clock.getDelayedCalls()
