"""What users sent before this server began to count, as the log tells.

An exact limit holds over restarts, and on a node that joins the others.  So before the first
message is sent, those of the last stretch of time are read from the log, and counted.

A message that was withdrawn counts, too, as of its withdrawal: nothing else is left of it.

They may be many.  So each page is counted when it was read, the newest first.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from chatter.chat.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from chatter.chat.delivery.live import Live
    from chatter.chat.limits.meters import Window
    from chatter.log.entries import Entry
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import Message

_AT_ONCE = 200
"""So many messages are read at once."""

_MOST = 100_000
"""Of so many messages, the newest ones, it is counted who has sent them."""


class SentBefore:
    """Has a window count the messages to the general chat, those that were sent before, too.

    :param now: tells the time of day, in UTC.
    """

    def __init__(
        self, live: Live, store: IChatStore, window: Window, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._window = window
        self._now = now
        self._turns = Turns(1)
        self._rewinds = 0
        self.rewind()
        live.add_watcher(self)

    def hear(self, changes: Sequence[Entry]) -> None:
        """Changes do not count."""

    def rewind(self) -> None:
        """Count anew: the end of the log was lost, or the store was closed."""
        self._rewinds += 1
        self._window.forget()
        self._is_counted = False
        # The messages that were heard of as they were committed.
        self._heard = range(0)
        # Those from one id to another were found in the log; and how many they were.
        self._found_from = 1
        self._found_until = 0
        self._found = 0

    def note(self, message: Message) -> None:
        """Count a message that was committed, unless it was found in the log already."""
        if self._found_from <= message.id <= self._found_until:
            return
        if not self._is_counted:
            first = self._heard.start if self._heard else message.id
            self._heard = range(first, message.id + 1)
        self._window.count(message.sender_id)

    async def counted(self) -> None:
        """Wait until they are counted.

        :raises StoreUnavailable: if the store can't serve; the next call goes on from there.
        """
        if self._is_counted:
            return
        async with self._turns:
            while not self._is_counted:
                await self._count_some(self._rewinds)

    async def _count_some(self, rewinds: int) -> None:
        """Count what one read finds, the newest first, unless the log is another one after it."""
        if not self._found_until:
            end = await self._store.last_id()
            if rewinds != self._rewinds:
                return
            self._found_until, self._found_from = end, end + 1
        page = await self._store.read_general_senders(self._found_from, _AT_ONCE)
        if rewinds != self._rewinds:
            return
        now = self._now()
        for sent in reversed(page):
            if sent.message_id not in self._heard:
                age = max(0.0, (now - sent.at).total_seconds())
                self._window.count_earlier(sent.sender_id, age)
        self._found += len(page)
        since = now - timedelta(seconds=self._window.length)
        self._is_counted = not page or page[0].at <= since or self._found >= _MOST
        self._found_from = 0 if self._is_counted else page[0].id
