"""What those who have written are told while the log can't be read on."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from twisted.internet.task import Clock

from chatter.log.entries import AddressBan, Entry
from chatter.protocol.errors import StoreUnavailable
from chatter.stores.postgres.tail import LOOK_INTERVAL, Tail
from chatter.testing.waiting import begun

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
BANS = [AddressBan(number, f"192.0.2.{number}", None, NOW) for number in (1, 2, 3)]


class ThreeBans:
    """A log of three entries, which sometimes can't be read."""

    def __init__(self):
        self.clock = Clock()
        self.reported: list[Entry] = []
        self.trouble = None
        self.tail = Tail(self.clock, self.read, self.reported.extend)
        self.tail.start(0)

    async def read(self, after, limit):
        if self.trouble is not None:
            raise self.trouble
        return [ban for ban in BANS if ban.id > after][:limit]


@pytest.fixture
def log():
    return ThreeBans()


async def test_who_has_written_waits_until_that_is_reported(log):
    """What others wrote before comes first."""
    await log.tail.reached(2)
    assert log.reported == BANS


@pytest.mark.parametrize("trouble", [StoreUnavailable("It is away."), ValueError("a bug")])
async def test_what_can_not_be_reported_now_is_not_acknowledged(log, trouble):
    """Who has written is told that it may not hold yet; it is reported later."""
    log.trouble = trouble
    waiting = [begun(log.tail.reached(2)), begun(log.tail.catch_up())]
    for waits in waiting:
        with pytest.raises(StoreUnavailable):
            await waits
    assert log.reported == []
    log.trouble = None
    log.clock.advance(LOOK_INTERVAL)
    assert log.reported == BANS
