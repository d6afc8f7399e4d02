"""Two clocks: a monotonic one for whatever waits, and the wall clock for times that people see.

The wall clock jumps: NTP corrects it, a resumed machine sets it.  Twisted's reactors
measure time with it, so an hour back stops all their timers for an hour.  Therefore:

- Whatever waits or measures a duration uses ``seconds()`` and ``callLater`` of the
  ``IReactorTime`` that it was given.  Our programs call :func:`use_monotonic_time` first.
- Whatever is a time of day (when a message was sent, when a user was seen, the header
  ``Date``) comes from :func:`wall_clock`.  It is never compared with ``seconds()``.
"""

from __future__ import annotations

from time import monotonic, time
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IReactorCore

if TYPE_CHECKING:
    from collections.abc import Callable


def use_monotonic_time(reactor: Any) -> None:
    """Have a reactor measure time with the monotonic clock.

    Twisted's reactors call their own ``seconds`` wherever they need the time, so it is enough
    to replace that.  Timers that run already keep what is left of their time.  An
    application whose own code takes ``reactor.seconds()`` for the time of day has to
    change that first.

    :param reactor: one of Twisted's, or what else bases on ``ReactorBase``.
    """
    if reactor.seconds is monotonic:
        return
    running = [(call, call.getTime() - reactor.seconds()) for call in reactor.getDelayedCalls()]
    reactor.seconds = monotonic
    for call, left in running:
        call.seconds = monotonic
        call.reset(max(0.0, left))


def wall_clock(clock: Any) -> Callable[[], float]:
    """What tells the time of day, in seconds since 1970, beside a clock that measures.

    :param clock: an ``IReactorTime`` provider.
    :returns: the system's clock if it is a real reactor; otherwise (such as a
        ``twisted.internet.task.Clock``) its own ``seconds``, so that a test sets both.
    """
    seconds: Callable[[], float] = clock.seconds
    return time if IReactorCore.providedBy(clock) else seconds
