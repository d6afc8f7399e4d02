"""What every test is watched for: it leaves nothing behind in the reactor."""

from __future__ import annotations

import threading

import pytest
from twisted.internet import reactor


@pytest.fixture(autouse=True)
def nothing_left_behind():
    """Fail a test that leaves a DelayedCall, a reader, a writer or a thread."""
    calls = set(reactor.getDelayedCalls())
    selectables = set(reactor.getReaders()) | set(reactor.getWriters())
    threads = {thread for thread in threading.enumerate() if thread.name.startswith("chatter")}
    yield
    left_calls = [call for call in reactor.getDelayedCalls() if call not in calls]
    left = {
        selectable
        for selectable in (set(reactor.getReaders()) | set(reactor.getWriters())) - selectables
        # The reactor makes its own when it first runs.
        if not type(selectable).__name__.endswith("Waker")
    }
    left_threads = [
        thread
        for thread in threading.enumerate()
        if thread.name.startswith("chatter") and thread not in threads
    ]
    assert not left_calls, f"DelayedCalls left: {left_calls}"
    assert not left, f"readers or writers left: {left}"
    assert not left_threads, f"threads left: {left_threads}"
