"""``twistd`` whose chats keep what a file in their folder says, instead of what is young.

Retention keeps everything for an hour, and nobody waits that long for a test.  An erasure that
was interrupted goes on at once, and who is refused much is told at once, for the same reason.
"""

from __future__ import annotations

import sys
from pathlib import Path

from twisted.scripts.twistd import run

from chatter.chat.messages import retention
from chatter.chat.users import erasing
from chatter.web import rejection_delay

KEPT_AFTER = "kept-after"
"""The file with the id up to which nothing is kept."""


async def _trim(self: retention.Retention) -> None:
    until = told()
    if until > self._store.kept_after:
        await self._store.trim(until)


def told() -> int:
    """What the file says; 0 if there is none."""
    file = Path(KEPT_AFTER)
    return int(file.read_text()) if file.exists() else 0


if __name__ == "__main__":
    retention.CHECK_EVERY = 0.05
    retention.Retention._trim = _trim  # type: ignore[method-assign]
    erasing.AGAIN = 0.5
    rejection_delay.PAUSE = 0.0
    sys.argv = sys.argv[1:]
    run()
