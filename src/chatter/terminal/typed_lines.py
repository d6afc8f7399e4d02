"""The lines of a pipe, a file or a plain terminal."""

from __future__ import annotations

import codecs
import os
from threading import Thread
from typing import Any

from twisted.internet.defer import DeferredQueue

_CHUNK = 64 * 1024


def typed_lines(descriptor: int, reactor: Any) -> DeferredQueue[str | None]:
    """The lines as they come, and ``None`` at the end.

    A thread reads them: whatever standard input is, a file or somebody else's pipe,
    it can be read by a thread, and is not made non-blocking for its other readers.
    The thread does not keep the process from ending.
    """
    lines: DeferredQueue[str | None] = DeferredQueue()

    def read() -> None:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        rest = ""
        while True:
            try:
                chunk = os.read(descriptor, _CHUNK)
            except OSError:  # there is no standard input
                chunk = b""
            *whole, rest = (rest + decoder.decode(chunk, final=not chunk)).split("\n")
            if not chunk and rest:
                whole.append(rest)
            for line in whole:
                reactor.callFromThread(lines.put, line)
            if not chunk:
                reactor.callFromThread(lines.put, None)
                return

    Thread(target=read, name="chatter-lines", daemon=True).start()
    return lines
