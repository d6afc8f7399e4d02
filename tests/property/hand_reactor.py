"""A reactor that a test turns by hand, while a store's threads and sockets are real ones."""

from __future__ import annotations

import select
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

_TOO_LONG = 20.0


class HandReactor(Clock):
    """A clock that also takes what threads call back with and sockets have, when asked to."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self.advance(seconds)
        self._from_threads: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._readers: set[Any] = set()
        self._writers: set[Any] = set()

    # What a store asks of a reactor

    def callFromThread(self, work: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Keep it until it is taken."""
        self._from_threads.put(lambda: work(*args, **kwargs))

    def getThreadPool(self) -> HandReactor:
        """A pool for what is done once: it is done at once, and here."""
        return self

    def callInThreadWithCallback(
        self, response: Callable[[bool, object], None], work: Callable[..., object], *args: Any
    ) -> None:
        """Do some work, as a thread would."""
        try:
            result = work(*args)
        except Exception:  # noqa: BLE001 - it is the result
            response(False, Failure())
        else:
            response(True, result)

    def addReader(self, reader: Any) -> None:
        """Read when there is something to read."""
        self._readers.add(reader)

    def removeReader(self, reader: Any) -> None:
        """Read no more."""
        self._readers.discard(reader)

    def addWriter(self, writer: Any) -> None:
        """Write when that is possible."""
        self._writers.add(writer)

    def removeWriter(self, writer: Any) -> None:
        """Write no more."""
        self._writers.discard(writer)

    # What a test asks of it

    def result_of(self, asked: Awaitable[Any]) -> Any:
        """Turn until something has ended; its result, or what it raises."""
        results = self.watch(asked)
        while not results:
            self.advance(0)
            if not results:
                self.take()()
        if isinstance(results[0], Failure):
            results[0].raiseException()
        return results[0]

    def watch(self, asked: Awaitable[Any]) -> list[Any]:
        """Begin something; the list gets its result, or its failure."""
        results: list[Any] = []
        begun = Deferred.fromCoroutine(asked) if isinstance(asked, Coroutine) else asked
        assert isinstance(begun, Deferred)
        begun.addBoth(results.append)
        return results

    def take(self) -> Callable[[], object]:
        """What a thread calls back with or a socket has, or nothing if this thread is busy."""
        now = self.seconds()
        if any(call.getTime() <= now for call in self.getDelayedCalls()):
            return lambda: None
        deadline = time.monotonic() + _TOO_LONG
        while time.monotonic() < deadline:
            watched = bool(self._readers or self._writers)
            with suppress(Empty):
                return self._from_threads.get(timeout=0 if watched else _TOO_LONG)
            readable, writable, _ = select.select(self._readers, self._writers, (), 0.01)
            if readable:
                return readable[0].doRead  # type: ignore[no-any-return]
            if writable:
                return writable[0].doWrite  # type: ignore[no-any-return]
        raise AssertionError("There is a result that never comes.")
