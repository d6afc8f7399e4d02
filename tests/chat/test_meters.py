"""Meters: how much is allowed, when it is allowed again, and what a meter remembers."""

from __future__ import annotations

import pytest

from chatter.chat.limits.meters import Meter, Window
from chatter.chat.limits.rate_limits import (
    DEFAULT_LIMITS,
    NO_LIMITS,
    RateLimits,
    parse_limits,
    shown_limits,
)
from chatter.chat.rates import Rate


def taken(meter, key, tries):
    """How many of some tries are allowed at once."""
    count = 0
    for _ in range(tries):
        if meter.wait(key) == 0:
            meter.count(key)
            count += 1
    return count


@pytest.mark.parametrize("kind", [Meter, Window])
@pytest.mark.parametrize("rate", [Rate(1, 1), Rate(3, 7), Rate(20, 3600), Rate(1000, 60)])
def test_so_many_are_allowed_at_once(clock, kind, rate):
    """And for another key as many again, at any time."""
    clock.advance(12345.678)
    meter = kind(rate, clock.seconds)
    assert taken(meter, "a", rate.count + 3) == rate.count
    assert taken(meter, "b", rate.count + 3) == rate.count


def test_a_meter_gives_back_evenly(clock):
    """Of 20 in an hour, one comes back each three minutes."""
    meter = Meter(Rate(20, 3600), clock.seconds)
    taken(meter, "a", 20)
    assert meter.wait("a") == pytest.approx(180, abs=0.01)
    clock.advance(179)
    assert taken(meter, "a", 2) == 0
    clock.advance(1)
    assert taken(meter, "a", 2) == 1
    clock.advance(3600)
    assert taken(meter, "a", 30) == 20


def test_a_window_is_exact(clock):
    """The 21st within an hour is refused, and allowed when the hour of the first is over."""
    window = Window(Rate(20, 3600), clock.seconds)
    for _ in range(20):
        assert taken(window, "a", 1) == 1
        clock.advance(10)
    assert window.wait("a") == 3600 - 200
    clock.advance(3600 - 200 - 1)
    assert taken(window, "a", 1) == 0
    clock.advance(1)
    assert taken(window, "a", 2) == 1
    clock.advance(9)
    assert taken(window, "a", 1) == 0
    clock.advance(1)
    assert taken(window, "a", 2) == 1


@pytest.mark.parametrize("kind", [Meter, Window])
def test_what_is_under_way_counts(clock, kind):
    """Three are allowed: with two under way there is one more, with three there is none."""
    meter = kind(Rate(3, 60), clock.seconds)
    assert meter.wait("a", 2) == 0
    assert meter.wait("a", 3) > 0
    meter.count("a")
    assert meter.wait("a", 1) == 0
    assert meter.wait("a", 2) > 0


def test_what_is_over_is_forgotten(clock):
    """A million keys, one after the other, leave no more than those of the last seconds."""
    meter = Meter(Rate(5, 5), clock.seconds)
    for number in range(50_000):
        meter.count(number)
        clock.advance(0.01)
    assert len(meter) < 300


def test_memory_is_bounded_whatever_comes(clock):
    """Where all have something to their account, the oldest is forgotten."""
    meter = Meter(Rate(5, 3600), clock.seconds, most=1000)
    window = Window(Rate(10_000, 3600), clock.seconds)
    for number in range(3000):
        meter.count(number)
        window.count(number)
    assert len(meter) <= 1000
    assert len(window) <= 40
    assert meter.wait(2999, 5) > 0


def test_the_notation_of_limits():
    """Later ones count; ``none`` switches off all before it."""
    assert parse_limits([]) == DEFAULT_LIMITS == RateLimits()
    assert parse_limits(["none"]) == NO_LIMITS
    assert parse_limits(["none", "general=20/3600"]).general == Rate(20, 3600)
    assert parse_limits(["general=20/3600"]).send == DEFAULT_LIMITS.send
    assert parse_limits(["join=none"]).join is None
    assert parse_limits(["waiting=5"]).waiting == 5
    assert parse_limits(shown_limits(DEFAULT_LIMITS)) == DEFAULT_LIMITS


@pytest.mark.parametrize(
    "text",
    [
        *("", "send", "send=", "send=1", "send=0/1", "send=1/0", "send=-1/2", "nobody=1/2"),
        *("send=10001/1", "send=1/99999999", "waiting=0", "waiting=1/2", "send=1/2/3", "all=none"),
        *("send=\u0661/2", " send=1/2", "send=1/2\n"),
    ],
)
def test_what_is_no_limit_is_refused(text):
    """The text of the error says what is expected."""
    with pytest.raises(ValueError, match=r"write|a rate|how many"):
        parse_limits([text])
