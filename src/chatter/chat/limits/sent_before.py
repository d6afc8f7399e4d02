"""What users sent before this server began to count, as the log tells.

An exact limit holds over restarts, and on a node that joins the others.  So before the first
message is sent, those of the last stretch of time are read from the log, and counted.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from chatter.chat.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from chatter.chat.limits.meters import Window
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import Message

_AT_ONCE = 200
"""So many messages are read at once."""

_MOST = 100_000
"""Of so many messages, the newest ones, it is counted who has sent them."""


class _Sent(NamedTuple):
    message_id: int
    sender_id: int
    sent_at: datetime


class SentBefore:
    """Has a window count the messages to the general chat, those that were sent before, too.

    :param now: tells the time of day, in UTC.
    """

    def __init__(self, store: IChatStore, window: Window, now: Callable[[], datetime]) -> None:
        self._store = store
        self._window = window
        self._now = now
        self._turns = Turns(1)
        self._is_counted = False
        self._counted_until = 0
        # The messages that were heard of as they were committed.
        self._heard = range(0)

    def note(self, message: Message) -> None:
        """Count a message that was committed, unless it was found in the log already."""
        if not self._is_counted:
            first = self._heard.start if self._heard else message.id
            self._heard = range(first, message.id + 1)
        elif message.id <= self._counted_until:
            return
        self._window.count(message.sender_id)

    async def counted(self) -> None:
        """Wait until they are counted.

        :raises StoreUnavailable: if the store can't serve.
        """
        if self._is_counted:
            return
        async with self._turns:
            if not self._is_counted:
                await self._count()

    async def _count(self) -> None:
        since = self._now() - timedelta(seconds=self._window.length)
        end = await self._store.last_id()
        found = await self._sent_since(since, end)
        now = self._now()
        self._window.count_earlier(
            (sent.sender_id, max(0.0, (now - sent.sent_at).total_seconds()))
            for sent in reversed(found)
            if sent.message_id not in self._heard
        )
        self._counted_until = end
        self._is_counted = True

    async def _sent_since(self, since: datetime, end: int) -> list[_Sent]:
        """What was sent after a time, and perhaps some before it, up to an id, the newest first."""
        found: list[_Sent] = []
        before = end + 1
        while len(found) < _MOST:
            page = await self._store.read_general(before, _AT_ONCE)
            found += [
                _Sent(message.id, message.sender_id, message.sent_at) for message in reversed(page)
            ]
            if not page or page[0].sent_at <= since:
                break
            before = page[0].id
        return found
