"""Presence: who is there, what is saved of it, and what is forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from chatter.chat.users.presence import Presence

LONG_AGO = datetime(2001, 1, 1, tzinfo=timezone.utc)


@pytest.fixture
def saves():
    return []


@pytest.fixture
def presence(clock, saves):
    return Presence(clock, lambda *save: saves.append(save))


def test_who_was_seen_is_online_for_a_minute(presence, clock):
    """A sign of life counts for a minute."""
    presence.see(1)
    clock.advance(59)
    assert presence.is_online(presence.last_seen(1, LONG_AGO))
    clock.advance(2)
    assert not presence.is_online(presence.last_seen(1, LONG_AGO))


@pytest.mark.parametrize("seconds", [0, 1, 20])
def test_who_stays_online_is_who_would_be_online_then(presence, clock, seconds):
    """Held, seen here, seen at another server, or at one whose clock is ahead."""
    saved = [LONG_AGO, presence.now(), presence.now() + timedelta(seconds=30)]
    duration = timedelta(seconds=seconds)
    presence.see(1)
    presence.hold(2)
    counts = []
    for _ in range(9):
        stay = [presence.stays(user, at, duration) for user in range(4) for at in saved]
        last_seen = [presence.last_seen(user, at) for user in range(4) for at in saved]
        assert stay == [presence.is_online(at - duration) for at in last_seen]
        counts.append(sum(stay))
        clock.advance(15)
    presence.let_go(2)
    assert counts[0] > counts[-1] == 3, "only who is held is there all the time"
    assert presence.stays(2, LONG_AGO, duration)
    clock.advance(60)
    assert not presence.stays(2, LONG_AGO, duration)


def test_it_forgets_whom_the_last_minutes_have_not_seen(presence, clock):
    """Memory is bounded by those who come and go, not by all who ever were there."""
    for user_id in range(1, 5001):
        presence.see(user_id)
        clock.advance(0.5)
    assert len(presence._seen) < 200
    assert len(presence._saved) < 200


def test_what_is_forgotten_is_saved(presence, clock, saves):
    """The last sign of life of each is what the store has in the end."""
    presence.see(1)
    clock.advance(20)
    presence.see(1)
    seen = presence.now()
    clock.advance(100)
    for user_id in (2, 3):
        presence.see(user_id)
    assert 1 not in presence._seen
    assert [save for save in saves if save[0] == 1][-1] == (1, seen)


def test_who_is_held_is_not_forgotten(presence, clock):
    """A user whose stream has been open for hours is there."""
    presence.hold(1)
    presence.see(1)
    for user_id in range(2, 100):
        clock.pump([1] * 10)
        presence.see(user_id)
    assert presence.last_seen(1, LONG_AGO) == presence.now()
    presence.let_go(1)
    assert presence.last_seen(1, LONG_AGO) == presence.now()
    for user_id in range(100, 200):
        clock.advance(10)
        presence.see(user_id)
    assert len(presence._seen) < 10
    assert len(presence._saved) < 10


def test_a_time_in_the_future_counts_as_now(presence, clock):
    """It is now when it is first found, and ages from then, as any sign of life."""
    future = presence.now() + timedelta(hours=1)
    assert presence.last_seen(1, future) == presence.now()
    found = presence.now()
    clock.advance(59)
    assert presence.is_online(presence.last_seen(1, future))
    clock.advance(2)
    assert presence.last_seen(1, future) == found
    assert not presence.is_online(presence.last_seen(1, future))
    later = presence.now() + timedelta(hours=1)
    assert presence.last_seen(1, later) == presence.now(), "a newer sign of life is one"
