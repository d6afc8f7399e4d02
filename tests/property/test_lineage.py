"""Positions of another history are noticed: nothing new is skipped, nothing is read twice in vain.

Logs are appended to, closed and opened, copied, and copies opened in their place, in any
order, as an operator with backups may do it.  Readers go from one to another.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatter.log.lineage import MOST_EPOCHS, Epoch, Lineage, continued, new_epoch

_texts = itertools.count()


@dataclass
class SomeLog:
    """A log as a store has it: the epochs and messages that are saved, and a new epoch."""

    messages: list[int] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)

    def __post_init__(self):
        self.open()

    def open(self):
        self.opened = continued(self.epochs, new_epoch(len(self.messages)))
        self.lineage = Lineage(self.opened)

    def append(self, number):
        self.messages += itertools.islice(_texts, number)
        if number:
            # A store saves an epoch with the first message in it.
            self.epochs = self.opened

    def copy(self):
        return SomeLog(list(self.messages), list(self.epochs))


@dataclass
class Reader:
    """Who has read a log up to somewhere, and may come to another one."""

    epoch: str
    read: list[int]
    seen: set[int]

    def read_on(self, log, number):
        """Read some messages after the own position, whatever has become of the log."""
        shared = log.lineage.shared(self.epoch, len(self.read))
        assert self.seen.issuperset(log.messages[:shared]), "something new was skipped"
        alike = 0
        for ours, theirs in zip(self.read, log.messages, strict=False):
            if ours != theirs:
                break
            alike += 1
        assert shared == alike, "something was read twice in vain"
        self.read = log.messages[: shared + number]
        self.seen.update(self.read)
        self.epoch = log.lineage.current


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["append", "append", "open", "copy", "replace", "read", "read"]),
        st.integers(0, 2),
        st.integers(0, 3),
    ),
    min_size=8,
    max_size=40,
)


@settings(max_examples=1500)
@given(OPERATIONS)
def test_a_reader_goes_on_where_the_histories_part(operations):
    """Up to there, and no further, whichever logs and copies of logs it comes to."""
    logs = [SomeLog()]
    readers = [Reader(logs[0].lineage.current, [], set()) for _ in range(2)]
    for what, which, number in operations:
        log = logs[which % len(logs)]
        if what == "append":
            log.append(number)
        elif what == "open":
            log.open()
        elif what == "copy" and len(logs) < 3:
            logs.append(log.copy())
        elif what == "replace":
            logs[number % len(logs)] = log.copy()
        elif what == "read":
            readers[number % 2].read_on(log, 99 if number > 1 else number)


def test_the_original_comes_back():
    """Who has read a copy goes on where it was made, though the original is longer."""
    original = SomeLog()
    original.append(3)
    copy = original.copy()
    original.append(1)
    copy.append(2)
    original.open()
    reader = Reader("", [], set())
    reader.read_on(copy, 5)
    reader.read_on(original, 5)


def test_ancestors_far_back_are_named_sparsely():
    """After hundreds of restarts nothing is skipped, and not everything is read again."""
    log = SomeLog()
    log.append(100)
    backup = log.copy()
    for _ in range(700):
        log.append(1)
        log.open()
    assert len(log.lineage.current) < 400
    lost = Reader(log.lineage.current, list(log.messages), set(log.messages))
    backup.append(5)
    assert backup.lineage.shared(lost.epoch, len(lost.read)) in range(101)
    for _ in range(4):
        log.append(1)
        log.open()
    backup = log.copy()
    for _ in range(20):
        log.append(1)
        log.open()
    shared = backup.lineage.shared(log.lineage.current, len(log.messages))
    assert len(backup.messages) - 20 <= shared <= len(backup.messages)


def test_the_number_of_epochs_is_bounded():
    """Of a log that is opened more often than anybody counts, the newest are kept."""
    log = SomeLog()
    first = log.lineage.current
    for _ in range(MOST_EPOCHS + 5):
        log.append(1)
        log.open()
    assert len(log.opened) == MOST_EPOCHS
    assert log.lineage.shared(first, 1) == 0


@pytest.mark.parametrize("epoch", ["unknown", "", "~", "a.b~c.", "unknown~other.7"])
def test_a_position_of_a_stranger_is_the_start(epoch):
    """Of a log that has nothing in common nothing was read."""
    log = SomeLog()
    log.append(9)
    assert log.lineage.shared(epoch, 9) == 0
