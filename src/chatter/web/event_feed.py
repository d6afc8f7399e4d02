"""The feed as Server-Sent Events: each message is serialised once for all subscribers.

Nearly all subscribers stand at the same id and see the same messages: the general chat.
So the chunk after an id is made once, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachetools import LRUCache
from msgspec import json

if TYPE_CHECKING:
    from chatter.log.feed import RecentLog
    from chatter.protocol.model import Message

_NOBODY = 0

_CHUNKS = 64
"""So many chunks are kept: subscribers at very many ids must not fill the memory."""

_EVENTS_BYTES = 4_000_000
"""So many bytes of events are kept for subscribers that read the same a little later."""

_encode = json.Encoder().encode


class EventFeed:
    """What comes after an id, as a chunk of an event stream.

    :param recent: the newest stretch of the log.

    :cvar most_messages: a chunk has at most so many.
    :cvar enough_bytes: when a chunk is that large, no further message is added.
    """

    most_messages = 200
    enough_bytes = 24 * 1024

    def __init__(self, recent: RecentLog) -> None:
        self.recent = recent
        self._events: LRUCache[int, bytes] = LRUCache(_EVENTS_BYTES, len)
        self._general: dict[int, tuple[bytes, int]] = {}
        self._general_until = recent.last_id

    def after(self, user_id: int, cursor: int) -> tuple[bytes, int] | None:
        """The next events for a user, and the cursor after them.

        :param cursor: before the end of the log.
        :returns: ``None`` if they lie so far back that only the store has them.
        """
        recent = self.recent
        if cursor >= recent.complete_after and recent.has_private(user_id, cursor):
            return self.chunk(recent.feed(user_id, cursor, self.most_messages), recent.last_id)
        return self._of_general(cursor)

    def for_all(self, cursor: int) -> tuple[bytes, int] | None:
        """The next events for all subscribers at a cursor, and the cursor after them.

        :param cursor: before the end of the log.
        :returns: ``None`` if some may see more than others, or as for :meth:`after`.
        """
        return None if self.recent.last_private_id > cursor else self._of_general(cursor)

    def _of_general(self, cursor: int) -> tuple[bytes, int] | None:
        recent = self.recent
        if cursor < recent.complete_after:
            return None
        if self._general_until != recent.last_id:
            self._general.clear()
            self._general_until = recent.last_id
        found = self._general.get(cursor)
        if found is None:
            if len(self._general) >= _CHUNKS:
                self._general.clear()
            messages = recent.feed(_NOBODY, cursor, self.most_messages)
            found = self._general[cursor] = self.chunk(messages, recent.last_id)
        return found

    def chunk(self, messages: list[Message], end: int) -> tuple[bytes, int]:
        """The events of some messages, as many as a chunk takes, and the cursor after them.

        :param messages: at most :attr:`most_messages`.
        :param end: if they are fewer, nothing follows them up to this id.
        """
        events = []
        size = 0
        for message in messages:
            event = self._event(message)
            events.append(event)
            size += len(event)
            if size >= self.enough_bytes:
                return b"".join(events), message.id
        if len(messages) == self.most_messages:
            end = messages[-1].id
        elif messages:
            end = max(end, messages[-1].id)
        return b"".join(events), end

    def _event(self, message: Message) -> bytes:
        event: bytes | None = self._events.get(message.id)
        if event is None:
            event = b"id: %d\nevent: message\ndata: %b\n\n" % (message.id, _encode(message))
            self._events[message.id] = event
        return event
