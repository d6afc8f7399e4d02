"""Lines that are typed, or come from a pipe or a file: in order, and bounded."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest
from twisted.internet import reactor as the_reactor

from chatter.protocol.scalars import MAX_TEXT
from chatter.terminal import typed_lines
from chatter.terminal.commands import Say, parse
from chatter.terminal.typed_lines import LONGEST, TypedLines, lines_of

reactor: Any = the_reactor


@pytest.fixture
def file(tmp_path):
    """Makes a file with some content; its descriptor."""
    opened = []

    def make(content):
        path = tmp_path / "lines"
        path.write_bytes(content)
        opened.append(os.open(path, os.O_RDONLY))
        return opened[-1]

    yield make
    for descriptor in opened:
        os.close(descriptor)


class Watching:
    """The reactor, and how many lines it had at most that nobody had taken."""

    def __init__(self):
        self.put = self.taken = self.most = 0

    def callFromThread(self, call, *arguments):
        self.put += 1
        self.most = max(self.most, self.put - self.taken)
        reactor.callFromThread(call, *arguments)


def reading():
    """The thread that reads."""
    [thread] = [t for t in threading.enumerate() if t.name == "chatter-lines"]
    return thread


def end(thread):
    """Wait for its end."""
    thread.join(60)
    assert not thread.is_alive()


async def test_all_lines_come_in_their_order(file):
    """However many more there are than are read ahead, and then there is an end."""
    lines = TypedLines(file(b"".join(b"%d\n" % number for number in range(3000))), reactor)
    thread = reading()
    taken = [await lines.get() for _ in range(3001)]
    end(thread)
    assert taken == [*map(str, range(3000)), None]


async def test_no_more_is_read_than_a_little_ahead(file, monkeypatch):
    """A pipe without end costs no more memory than a short one."""
    monkeypatch.setattr(typed_lines, "AHEAD", 3)
    watching = Watching()
    lines = TypedLines(file(b"a\n" * 100), watching)
    thread = reading()
    while watching.taken < 101:
        # It is counted as taken before there is room for another one.
        watching.taken += 1
        await lines.get()
    end(thread)
    assert watching.most <= 3


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\n", ["a"]),
        (b"a\n\nb", ["a", "", "b"]),
        (b"\xff\n\xe2\x82", ["\ufffd", "\ufffd"]),
        (b"a\r\nb\r\r\n\nc\r", ["a", "b", "", "", "c"]),
        (b"all of you\r/msg bob a secret\r", ["all of you", "/msg bob a secret"]),
        (b"a" * (64 * 1024 - 1) + b"\r\nb", ["a" * LONGEST + "…", "b"]),
        ("é".encode() * 40_000 + b"\nb\n", ["é" * LONGEST + "…", "b"]),
        (b"a" * 200_000, ["a" * LONGEST + "…"]),
    ],
)
def test_lines_end_as_those_of_any_system_or_with_the_input(file, content, lines):
    """A line that is far too long is cut, and costs no more than what is kept of it."""
    assert list(lines_of(file(content))) == lines


def test_a_line_that_was_cut_is_too_long_to_be_sent(file):
    """Also if what is kept of it would be short enough without the blanks at its end."""
    [line] = lines_of(file(b"a" * MAX_TEXT + b" " * LONGEST + b"b\n"))
    said = parse(line)
    assert isinstance(said, Say)
    assert len(said.text) > MAX_TEXT
