"""Those who follow are woken together, a few at a time."""

from __future__ import annotations

import itertools

from twisted.internet.task import Clock

from chatter.chat.delivery.followers import SLICE_SECONDS, Followers


class Counting:
    """A follower that counts how often it was told, and may take its time."""

    def stop(self):
        """Do nothing."""

    def rewind(self):
        """Do nothing."""

    def __init__(self, clock=None, seconds=0.0):
        self.told = 0
        self._clock = clock
        self._seconds = seconds

    def deliver(self):
        self.told += 1
        if self._clock is not None:
            self._clock.rightNow += self._seconds


def test_many_wakes_in_one_turn_are_one():
    """All that is committed in one turn of the reactor is told in one go."""
    clock = Clock()
    followers = Followers(clock)
    follower = Counting()
    followers.add(follower)
    for _ in range(10):
        followers.wake()
    assert follower.told == 0
    clock.advance(0)
    assert follower.told == 1
    assert not clock.getDelayedCalls()


def test_a_wake_while_others_are_served_reaches_everybody_again():
    """What is committed while followers are being served is not missed by the first of them."""
    clock = Clock()
    followers = Followers(clock)
    first, last = Counting(), Counting()
    followers.add(first)

    class Waking(Counting):
        def deliver(self):
            super().deliver()
            if self.told == 1:
                followers.wake()

    followers.add(Waking())
    followers.add(last)
    followers.wake()
    clock.pump([0, 0, 0])
    assert first.told == 2
    assert last.told == 2
    assert not clock.getDelayedCalls()


def test_others_have_their_turn_between_slices():
    """Serving very many does not hold the reactor for longer than a slice."""
    clock = Clock()
    followers = Followers(clock)
    slow = [Counting(clock, SLICE_SECONDS / 100) for _ in range(1000)]
    for follower in slow:
        followers.add(follower)
    turns = []

    def others():
        turns.append(clock.seconds())
        if len(clock.getDelayedCalls()):
            clock.callLater(0, others)

    followers.wake()
    clock.callLater(0, others)
    clock.advance(0)
    gaps = [later - earlier for earlier, later in itertools.pairwise([0, *turns])]
    assert max(gaps) <= 2 * SLICE_SECONDS
    assert len(turns) >= 5
    assert {follower.told for follower in slow} == {1}


def test_who_has_left_is_not_woken():
    """A follower that was removed is not told any more, and nothing is scheduled for nobody."""
    clock = Clock()
    followers = Followers(clock)
    follower = Counting()
    followers.add(follower)
    followers.remove(follower)
    followers.wake()
    assert not clock.getDelayedCalls()
    assert follower.told == 0
    assert len(followers) == 0


def test_one_that_fails_does_not_hold_up_the_others(caplog):
    """Neither those after it nor those of the next time."""
    clock = Clock()
    followers = Followers(clock)

    class Failing(Counting):
        def deliver(self):
            super().deliver()
            raise ZeroDivisionError

    all_of_them = [Counting(), Failing(), *(Counting() for _ in range(100))]
    for follower in all_of_them:
        followers.add(follower)
    for _ in range(2):
        followers.wake()
        clock.pump([0, 0])
    assert {follower.told for follower in all_of_them} == {2}
    assert not clock.getDelayedCalls()


def test_those_with_a_way_of_their_own_come_first():
    """Thousands that are served together do not keep a few waiting."""
    clock = Clock()
    followers = Followers(clock)
    served = []
    single = Counting()
    followers.add(single)

    def together(some):
        served.append((len(some), single.told))
        clock.rightNow += SLICE_SECONDS

    for _ in range(100):
        followers.add(Counting(), together)
    followers.wake()
    clock.advance(0)
    assert served == [(64, 1), (36, 1)]
    assert not clock.getDelayedCalls()
