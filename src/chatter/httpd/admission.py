"""How many connections may be open: beyond it newcomers wait in the kernel's queue.

At the limit of open files ``accept`` fails, Twisted closes newcomers and writes three lines
to the log for each of them, and the store may not be able to open a file either.  So the ports
are not read any more before that, and again once a connection has ended.  Meanwhile connections
that do nothing give way after ``Limits.idle_when_full``.
"""

from __future__ import annotations

from math import inf
from typing import Any

from twisted.logger import Logger

_AT_ONCE = 100
"""What Twisted's ports begin with."""

SILENCE = 60.0
"""The seconds for which nothing more is logged about it."""


class Admission:
    """Holds the ports while all connections are in use.

    :param reactor: an ``IReactorTime`` provider.
    :param most: how many connections may be open.

    :ivar is_held: whether newcomers wait.
    """

    _log = Logger()

    def __init__(self, reactor: Any, most: int) -> None:
        self._reactor = reactor
        self._most = most
        self._ports: list[Any] = []
        self.is_held = False
        self._times = 0
        self._logged_at = -inf

    def add_port(self, port: Any) -> None:
        """Hold this port, too, when it is time.

        :param port: an ``IListeningPort`` provider; nothing is done with one that can't be held.
        """
        if hasattr(port, "stopReading"):
            self._ports = [known for known in self._ports if known.connected]
            self._ports.append(port)
            # Of those that it accepts at once, most are accepted before it can be held.
            port.numberAccepts = max(1, min(_AT_ONCE, self._most // 2))

    def made(self, count: int) -> None:
        """Hold the ports if so many connections are too many."""
        if count >= self._most and not self.is_held:
            self._hold()

    def ended(self, count: int) -> None:
        """Let newcomers in again, now that only so many connections are left."""
        if self.is_held and count < self._most:
            self.is_held = False
            for port in self._ports:
                if port.connected:
                    port.startReading()

    def _hold(self) -> None:
        self.is_held = True
        for port in self._ports:
            port.stopReading()
        self._times += 1
        now = self._reactor.seconds()
        if now - self._logged_at >= SILENCE:
            self._log.warn(
                "All {most} connections are in use; others wait until one ends "
                "({times} times since this was last logged).",
                most=self._most,
                times=self._times,
            )
            self._logged_at = now
            self._times = 0
