"""A stream whose backlog can't be read: it is tried again, whatever the reason."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from chatter.chat.chat import core_of
from chatter.log.recent import RecentLog
from chatter.testing import memory_chat
from chatter.web.event_streams.streams import Streams
from tests.results import result_of
from tests.web.stream_reader import Reader


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(24, "Too many open files"), "Too many open files"),
        (RuntimeError("a defect"), "a defect"),
    ],
)
def test_whatever_fails_is_tried_again(logged, error, reason):
    """One failure is not the end of a stream, and is logged once, not once a second."""
    clock = Clock()
    clock.advance(1_700_000_000)
    chat = memory_chat(clock)
    streams = Streams(core_of(chat))
    core_of(chat).live.newest_stretch = RecentLog(0, capacity=100)
    alice, _ = result_of(chat.connect("alice"))
    for _ in range(20):
        result_of(chat.send(alice, "a"))
    store = core_of(chat).store
    read_feed = store.read_feed
    failures = [error] * 3

    async def fail_first(*asked):
        if failures:
            raise failures.pop()
        return await read_feed(*asked)

    store.read_feed = fail_first  # type: ignore[method-assign]
    reader = Reader(streams, alice, 0)
    clock.pump([0.25] * 40)
    assert [message.id for message in reader.received] == list(range(1, 21))
    reader.break_off()
    assert not clock.getDelayedCalls()
    assert [event["reason"] for event in logged if "reason" in event] == [reason]
