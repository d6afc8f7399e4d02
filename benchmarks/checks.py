"""What the limits and the standing of a user cost a send: the same sends with and without.

Nothing is stored: a send ends where the store would begin.  The figure is the least of many
repetitions, in which nothing else had the processor.

    python benchmarks/checks.py
"""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from time import perf_counter
from typing import TYPE_CHECKING, Any

from table import Table, Target
from twisted.internet.task import Clock

from chatter.chat.chat import core_of
from chatter.chat.limits.rate_limits import DEFAULT_LIMITS, NO_LIMITS
from chatter.chat.limits.user_limits import UserLimits
from chatter.protocol.model import Message, User
from chatter.testing import memory_chat

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = Target(1.0, at_least=False, unit="us")
CALLS = 2000
FRIEND = CALLS + 1
REPEATS = 400
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
MESSAGE = Message(1, 1, None, "Hello!", NOW)
USERS = [User(number, f"user {number}", NOW) for number in range(1, CALLS + 1)]


class NoStore:
    """Has what is sent done at once."""

    async def send(self, *_: object) -> Message:
        """The same message each time."""
        return MESSAGE

    send_private = send


def finish(coroutine: Any) -> None:
    """Run a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise RuntimeError("It waits.")


def least_microseconds(call: Callable[[User], object], between: Callable[[], None]) -> float:
    """What one call takes, for another user each time, at best."""
    least = float("inf")
    for _ in range(REPEATS):
        began = perf_counter()
        for user in USERS:
            call(user)
        least = min(least, perf_counter() - began)
        between()
    return least / CALLS * 1e6


def main() -> None:
    """Measure, and print."""
    clock = Clock()
    chat = memory_chat(clock)
    core: Any = core_of(chat)
    core.sending = NoStore()
    plain, limited = (UserLimits(core, limits).sending for limits in (NO_LIMITS, DEFAULT_LIMITS))
    for user in USERS:
        limited._has_written[user.id, FRIEND] = True  # noqa: SLF001
    counted = [Message(1, user.id, None, "Hello!", NOW) for user in USERS]

    def later() -> None:
        clock.advance(60)

    def measured(call: Callable[[User], object]) -> float:
        return least_microseconds(call, later)

    banned, addresses = core.standings.banned, core.standings.addresses.until
    muted, left = core.standings.muted, core.standings.left

    bare = measured(lambda user: finish(plain.send(user, "Hello!", None)))
    begun = measured(lambda user: finish(limited.send(user, "Hello!", None))) - bare
    bare = measured(lambda user: finish(plain.send_private(user, FRIEND, "Hello!", None)))
    private = (
        measured(lambda user: finish(limited.send_private(user, FRIEND, "Hello!", None))) - bare
    )
    nothing = measured(lambda _: None)
    count = measured(lambda user: limited._count([counted[user.id - 1]])) - nothing  # noqa: SLF001
    standing = measured(lambda user: user.id in banned or addresses or left or muted) - nothing
    table = Table("What is checked of a send", ["what", "us"])
    table.add("the limits, before", f"{begun:.2f}")
    table.add("the limits, before a private one to somebody who has written", f"{private:.2f}")
    table.add("the limits, once the log tells of it", f"{count:.2f}")
    table.add("the standing", f"{standing:.2f}")
    total = begun + count + standing
    table.add("all", f"{total:.2f}", figure=total, target=MOST)
    print(table)
    sys.exit("\n".join(table.missed) or None)


if __name__ == "__main__":
    main()
