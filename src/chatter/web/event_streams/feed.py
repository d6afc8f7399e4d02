"""The feed as Server-Sent Events: each entry is serialised once for all subscribers.

There are two feeds: with changes, for subscribers that have opted in, and without.
Nearly all subscribers are at the same id and see the same messages: the general chat.
So the chunk after an id is made once, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachetools import LRUCache
from msgspec import json
from msgspec.structs import replace

from chatter.log.entries import for_readers
from chatter.protocol.model import Gap, Message

if TYPE_CHECKING:
    from chatter.log.entries import Entry
    from chatter.log.recent import RecentLog

_NOBODY = -1
"""Sees what everybody sees; 0 is the operator, who has private entries."""

_CHUNKS = 64
"""So many chunks are kept: subscribers at very many ids must not fill the memory."""

_EVENTS_BYTES = 4_000_000
"""So many bytes of events are kept for subscribers that read the same a little later."""

_encode = json.Encoder().encode


def gap_event(after: int, until: int) -> bytes:
    """The event that says that entries are no longer kept."""
    # No blank before the data: scripts that look for those of messages pass it over.
    return b"id: %d\nevent: gap\ndata:%b\n\n" % (until, _encode(Gap(after, until)))


class EventFeed:
    """What comes after an id, as a chunk of an event stream.

    :param recent: the newest stretch of the log.
    :param changes: whether changes of messages are events, too.

    :cvar most_entries: a chunk has at most so many.
    :cvar enough_bytes: when a chunk is that large, no further entry is added.
    """

    most_entries = 200
    enough_bytes = 24 * 1024

    def __init__(self, recent: RecentLog, *, changes: bool) -> None:
        self.recent = recent
        recent.add_cache(self)
        self._changes = changes
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
            return self.chunk(recent.feed(user_id, cursor, self.most_entries), recent.last_id)
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
            entries = recent.feed(_NOBODY, cursor, self.most_entries)
            found = self._general[cursor] = self.chunk(entries, recent.last_id)
        return found

    def drop(self, message_id: int) -> None:
        """Forget what was made of a message: its text is gone."""
        self._events.pop(message_id, None)
        self._general.clear()

    def trim(self, until: int) -> None:
        """Forget what was made of all messages up to an id, and of their changes."""
        for message_id in [message_id for message_id in self._events if message_id <= until]:
            self._events.pop(message_id, None)
        self._general.clear()

    def chunk(self, entries: list[Entry], end: int, as_of: int | None = None) -> tuple[bytes, int]:
        """The events of some entries, as many as a chunk takes, and the cursor after them.

        :param entries: at most :attr:`most_entries`.
        :param end: if they are fewer, nothing follows them up to this id.
        :param as_of: the newest change that was known before they were read, if they were
            read from the store.
        """
        # What has changed since it was read must not be kept.
        keep = as_of is None or as_of == self.recent.last_change_id
        events = []
        size = 0
        for entry in entries:
            event = self._event(entry, keep=keep)
            events.append(event)
            size += len(event)
            if size >= self.enough_bytes:
                return b"".join(events), entry.id
        if len(entries) == self.most_entries:
            end = entries[-1].id
        elif entries:
            end = max(end, entries[-1].id)
        return b"".join(events), end

    def _event(self, entry: Entry, *, keep: bool) -> bytes:
        if not isinstance(entry, Message):
            # No blank before the data: scripts that look for those of messages pass it over.
            change = b"id: %d\nevent: change\ndata:%b\n\n"
            return change % (entry.id, _encode(for_readers(entry))) if self._changes else b""
        event: bytes | None = self._events.get(entry.id)
        if event is None:
            if entry.edited_at is not None and not self._changes:
                entry = replace(entry, edited_at=None)
            event = b"id: %d\nevent: message\ndata: %b\n\n" % (entry.id, _encode(entry))
            if keep:
                self._events[entry.id] = event
        return event
