"""The lines of a pipe, a file or a plain terminal.

They are read only a little ahead of whoever takes them, so a pipe that brings lines without
end takes no more memory than one that brings a few.
"""

from __future__ import annotations

import codecs
import io
import os
import re
from threading import Semaphore, Thread
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import DeferredQueue

from chatter.terminal.commands import BEHIND_A_COMMAND, Say, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.defer import Deferred

AHEAD = 1000
"""So many lines are read before they are taken."""

LONGEST = 16 * 1024
"""So many characters of a line are kept: more than a message, or a command with one, can have."""

_CHUNK = 64 * 1024
_CUT = "…"
_END = re.compile("(\r\n?|\n)")


class TypedLines:
    """The lines, one after the other.

    A thread reads them: whatever standard input is, a file or somebody else's pipe,
    it can be read by a thread, and is not made non-blocking for its other readers.
    The thread does not keep the process from ending.

    :param descriptor: where the lines are read from.
    :param reactor: an ``IReactorFromThreads`` provider.
    """

    def __init__(self, descriptor: int, reactor: Any) -> None:
        self._descriptor = descriptor
        self._reactor = reactor
        self._lines: DeferredQueue[str | None] = DeferredQueue()
        self._room = Semaphore(AHEAD)
        Thread(target=self._read, name="chatter-lines", daemon=True).start()

    def get(self) -> Deferred[str | None]:
        """The next line, once there is one; ``None`` at the end."""
        self._room.release()
        return self._lines.get()

    def _read(self) -> None:
        for line in lines_of(self._descriptor):
            self._put(line)
        self._put(None)

    def _put(self, line: str | None) -> None:
        self._room.acquire()
        self._reactor.callFromThread(self._lines.put, line)


def lines_of(descriptor: int) -> Iterator[str]:
    """The lines that are read from a descriptor, until its end.

    They end as lines of any system do.  Else a file whose lines end with a carriage return were one
    text for everybody, with the private ones in it.  But a carriage return may also stand in a
    private text: what follows a command in one line is marked with :data:`BEHIND_A_COMMAND`.

    What is longer than :data:`LONGEST` ends with a mark there, which makes it too long to be
    sent, whatever else is left out.
    """
    decoder = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder("utf-8")(errors="replace"), translate=False
    )
    rest = mark = ""
    while True:
        try:
            chunk = os.read(descriptor, _CHUNK)
        except OSError:  # there is no standard input
            chunk = b""
        *ended, rest = _END.split(rest + decoder.decode(chunk, final=not chunk))
        for line, end in zip(ended[::2], ended[1::2], strict=True):
            yield mark + _cut(line)
            if end != "\r":
                mark = ""
            elif not _is_said(line):
                mark = BEHIND_A_COMMAND
        rest = _cut(rest)
        if not chunk:
            if rest:
                yield mark + rest
            return


def _is_said(line: str) -> bool:
    """Whether everybody reads all of a line; so nothing in it is private."""
    return len(line) <= LONGEST and isinstance(parse(line), Say | None)


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST else line[:LONGEST] + _CUT
