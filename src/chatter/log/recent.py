"""The newest stretch of a log, in memory.

A reader who is nearly up to date (and most are, always) costs no query of the store.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

from chatter.log.entries import MessageChange, changes_of, messages_of
from chatter.log.feed import Log
from chatter.protocol.model import Message

if TYPE_CHECKING:
    from chatter.log.entries import Entry

_PASSED_AT_ONCE = 1000
"""So many entries are looked at once where there are changes to pass over."""

_edited_at_of = attrgetter("edited_at")


class Cache(Protocol):
    """Something made of the messages of a log."""

    def drop(self, message_id: int) -> None:
        """Forget what was made of a message: its text is gone."""

    def trim(self, until: int) -> None:
        """Forget what was made of all messages up to an id, and of their changes."""


class RecentLog:
    """The newest stretch of a log that is too long to be kept whole.

    It is made of two logs.  When the younger one is full, the older one is let
    go and the younger takes its place, so that forgetting costs no time.

    :param complete_after: the end of the log when this one starts.
    :param capacity: after how many characters of text (each message counts 200
        more) the younger log is full, which is looked at before it is extended.  Both
        together take some 10 MB by default.

    :ivar complete_after: every entry with a larger id is here.  To read after a
        smaller id, read the store.
    :ivar last_id: the id of the newest entry.
    :ivar last_private_id: the id of the newest private entry; 0 before the first.
    :ivar last_change_id: the id of the newest entry that is no message; 0 before the first.
        As long as it stays what it is, so do all messages.
    :ivar edited_until: no message with a larger id, of those that are here, was edited.
    :ivar longest_text: no text that is here has more characters.
    """

    def __init__(self, complete_after: int, capacity: int = 4_000_000) -> None:
        self.complete_after = complete_after
        self.last_id = complete_after
        self.last_private_id = 0
        self.last_change_id = 0
        self.edited_until = 0
        self.longest_text = 0
        self._longest_of_younger = 0
        self._caches: WeakSet[Cache] = WeakSet()
        self._capacity = capacity
        self._size = 0
        self._older = Log()
        self._younger = Log()
        self._younger_after = complete_after

    def add_cache(self, cache: Cache) -> None:
        """Have something forget each text that is gone, as long as anybody else has it."""
        self._caches.add(cache)

    def extend(self, entries: list[Entry]) -> None:
        """Add some entries in id order, none of them added before."""
        if self._size >= self._capacity:
            self._older, self._younger = self._younger, Log()
            self.complete_after, self._younger_after = self._younger_after, self.last_id
            self._size = 0
            self.longest_text, self._longest_of_younger = self._longest_of_younger, 0
        last_private_id = self._younger.extend(entries)
        if last_private_id:
            self.last_private_id = last_private_id
        sizes = [len(entry.text or "") for entry in entries]
        self._size += 200 * len(sizes) + sum(sizes)
        longest = max(sizes)
        if longest > self._longest_of_younger:
            self._longest_of_younger = longest
            self.longest_text = max(longest, self.longest_text)
        self.last_id = entries[-1].id
        if any(map(_edited_at_of, entries)):
            self.note_edited(messages_of(entries))
            self._change(entries)

    def note_edited(self, messages: list[Message]) -> None:
        """Remember which of some messages that were read was the last one to be edited."""
        edited_ids = [message.id for message in messages if message.edited_at is not None]
        self.edited_until = max([self.edited_until, *edited_ids])

    def _change(self, entries: list[Entry]) -> None:
        """Have the changes among some entries take effect."""
        self._younger.change(changes_of(entries))
        for entry in entries:
            if isinstance(entry, Message):
                continue
            self.last_change_id = entry.id
            if isinstance(entry, MessageChange):
                self._older.apply(entry)
                self.edited_until = max(entry.message_id, self.edited_until)
                for cache in self._caches:
                    cache.drop(entry.message_id)

    def trim(self, until: int) -> None:
        """Forget what is no longer kept: all up to an id."""
        self.complete_after = max(self.complete_after, until)
        self._younger_after = max(self._younger_after, until)
        self.last_id = max(self.last_id, until)
        for log in (self._older, self._younger):
            log.trim(until)
        for cache in self._caches:
            cache.trim(until)

    def feed(self, user_id: int, after: int, limit: int) -> list[Entry]:
        """What a user may see after an id that is at least ``complete_after``."""
        if after >= self.last_id:
            return []
        if after >= self._younger_after:
            return self._younger.feed(user_id, after, limit)
        entries = self._older.feed(user_id, after, limit)
        if len(entries) < limit:
            entries = entries + self._younger.feed(user_id, after, limit - len(entries))
        return entries

    def messages(self, user_id: int, after: int, limit: int) -> tuple[list[Message], int]:
        """The messages of a feed; changes are passed over.

        :param after: at least ``complete_after``.
        :returns: the messages; and if there are none, the id up to which the log was read.
        """
        found = self.feed(user_id, after, limit)
        if self.last_change_id <= after:
            # All of them are messages, as nearly always.
            return found, found[-1].id if found else after  # type: ignore[return-value]
        messages = messages_of(found)
        until = found[-1].id if found else after
        at_once = limit
        while len(found) == at_once and len(messages) < limit:
            at_once = max(limit, _PASSED_AT_ONCE)
            found = self.feed(user_id, until, at_once)
            messages += messages_of(found)
            if found:
                until = found[-1].id
        return messages[:limit], until

    def general(self, before: int | None, limit: int) -> list[Message] | None:
        """What :meth:`Log.general` returns for the whole log, if so many messages are here."""
        found = self._younger.general(before, limit)
        return found if len(found) == limit else None

    def has_private(self, user_id: int, after: int) -> bool:
        """Whether there is a private entry from or to a user after an id."""
        if self.last_private_id <= after:
            return False
        return self._younger.has_private(user_id, after) or self._older.has_private(user_id, after)
