"""twistd with a heart: ``python live_probe.py FILE TWISTD-ARGUMENTS…`` records how long it stops.

A timed call that is due every millisecond measures the time between two of its turns: the
longest is the longest stretch for which the reactor was held, garbage collection included.
SIGUSR1 begins anew; SIGUSR2 writes the longest stretch to FILE as JSON, in milliseconds: by
the clock on the wall, and in processor time of the reactor's thread, which other programs
on the same core do not lengthen.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

from twisted.internet import reactor
from twisted.scripts.twistd import run

BEAT_SECONDS = 0.001


class Heart:
    """Beats, and knows the longest time between two beats."""

    def __init__(self, report: Path) -> None:
        self._report = report
        self._wall = self._processor = self._last_wall = self._last_processor = 0.0

    def begin(self, *_: object) -> None:
        """Forget what was."""
        self._last_wall, self._last_processor = time.perf_counter(), time.thread_time()
        self._wall = self._processor = 0.0

    def start(self) -> None:
        """Beat from now on, and listen to signals."""
        signal.signal(signal.SIGUSR1, self.begin)
        signal.signal(signal.SIGUSR2, self.report)
        self.begin()
        self.beat()

    def beat(self) -> None:
        """Measure."""
        wall, processor = time.perf_counter(), time.thread_time()
        self._wall = max(self._wall, wall - self._last_wall)
        self._processor = max(self._processor, processor - self._last_processor)
        self._last_wall, self._last_processor = wall, processor
        reactor.callLater(BEAT_SECONDS, self.beat)

    def report(self, *_: object) -> None:
        """Write the longest stretch, whole or not at all."""
        new = self._report.with_suffix(".new")
        new.write_text(json.dumps({"wall": self._wall * 1e3, "processor": self._processor * 1e3}))
        new.replace(self._report)


heart = Heart(Path(sys.argv[1]).absolute())
reactor.callWhenRunning(heart.start)
sys.argv = ["twistd", *sys.argv[2:]]
run()
