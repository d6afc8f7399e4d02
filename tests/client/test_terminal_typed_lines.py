"""Lines that are typed, or come from a pipe or a file: in order, and bounded."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest
from twisted.internet import reactor as the_reactor

from chatter.protocol.scalars import MAX_TEXT
from chatter.terminal import typed_lines
from chatter.terminal.commands import Mistake, Say, SayTo, Who, parse
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
        (b"/who\ra\r\rb\rc\r\nd\re", ["/who", "\ra", "\r", "\rb", "\rc", "d", "e"]),
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


REFUSED = Mistake(
    "Only a carriage return separates this from a command before it, so it may be a part "
    "of that: it is not said. Write it in a line of its own."
)
TO_BOB = SayTo("bob", "pw: 10%")


@pytest.mark.parametrize(
    ("content", "commands"),
    [
        (b"/msg bob pw: 10%\rpw: hunter2\n", [TO_BOB, REFUSED]),
        (b"/msg bob pw: 10%\r\r \rpw: hunter2", [TO_BOB, None, None, REFUSED]),
        (b"/msg bob pw: 10%\r/who\rpw: hunter2\n", [TO_BOB, Who(), REFUSED]),
        (b"/msg bob pw: 10%\r//hunter2\r  //hunter2\n", [TO_BOB, REFUSED, REFUSED]),
        (b"/msg bob pw: 10%\r/edit hunter2\n", [TO_BOB, REFUSED]),
        (b"\xef\xbb\xbf /msg bob pw: 10%\r\xef\xbb\xbfpw: hunter2", [TO_BOB, REFUSED]),
        (b"Hello\r/msg bob pw: 10%\rpw: hunter2\n", [Say("Hello"), TO_BOB, REFUSED]),
        (b"/msg bob pw: 10%\r\nHello\r\n", [TO_BOB, Say("Hello")]),
        (b"/msg bob pw: 10%\r\r\nHello\n", [TO_BOB, None, Say("Hello")]),
        (b"//Hello\rHello\n", [Say("/Hello"), Say("Hello")]),
        (b"Hello\r/msg bob pw: 10%\r/who\r", [Say("Hello"), TO_BOB, Who()]),
    ],
)
def test_what_stands_behind_a_private_text_is_not_said(file, content, commands):
    """A carriage return in a private text is no end of what is private."""
    assert [parse(line) for line in lines_of(file(content))] == commands


@pytest.mark.parametrize("before", [b"\xe2\x88\x95msg bob a", b" " * LONGEST + b"/msg bob a"])
def test_what_stands_behind_a_mistake_is_not_said(file, before):
    """It may be a private text that went wrong, or be too long to tell."""
    *_, last = lines_of(file(before + b"\rpw: hunter2\n"))
    assert parse(last) == REFUSED


def test_a_carriage_return_at_the_end_of_what_was_read(file, monkeypatch):
    """Whether it stands alone is known once more is read."""
    monkeypatch.setattr(typed_lines, "_CHUNK", 1)
    assert list(lines_of(file(b"/who\r\na\r/who\rb"))) == ["/who", "a", "/who", "\rb"]
