"""Who sees what after cursor *n*: the log and every view of it, without I/O.

The invariant the whole of chatter stands on: **one append-only log of entries,
in id order, and everybody who reads it is a cursor into that log.**  A user's
feed is the general chat and the private messages from and to them, in id order;
what is new for a reader is always the feed after an id.

An id is never reused, and what changes a message is an entry itself.  So a stretch of
the log that was read once is right as of the newest entry that is known, and is kept so
by that entry; or until the end of the log is lost, which begins a new epoch
(:mod:`chatter.log.lineage`) and has what is in memory forgotten.

Hence the two uses of :class:`Log`: it is all that a store in memory needs, and
:class:`chatter.log.recent.RecentLog` keeps the newest stretch of any other log at hand.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

from chatter.log.entries import MessageChange, edited, sent_of, without_text
from chatter.protocol.model import Message
from chatter.protocol.scalars import MAX_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chatter.log.entries import Entry, Sent

Key = TypeVar("Key")

_id_of = attrgetter("id")
_are_types_of_messages = frozenset((Message,)).issuperset


def participants(entry: Entry) -> frozenset[int]:
    """The users who may see a private entry: the sender and the recipient.

    Of an entry in the general chat everybody is one, so it has no such set.
    """
    assert entry.recipient_id is not None
    return frozenset((entry.sender_id, entry.recipient_id))


def _after(entries: list[Entry], cursor: int, limit: int) -> list[Entry]:
    start = bisect_right(entries, cursor, key=_id_of)
    return entries[start : start + limit]


def _before(entries: list[Entry], before: int | None, limit: int) -> list[Message]:
    """The newest messages; changes among them are passed over."""
    end = len(entries) if before is None else bisect_left(entries, before, key=_id_of)
    found = entries[max(end - limit, 0) : end]
    if _are_types_of_messages(map(type, found)):
        return found  # type: ignore[return-value]
    back = (entries[place] for place in range(end - 1, -1, -1))
    messages = (entry for entry in back if isinstance(entry, Message))
    return list(islice(messages, limit))[::-1]


def _change(stretch: list[Entry], change: MessageChange, earlier: MessageChange | None) -> None:
    """Replace or take out a message, if it is there, and take out its earlier change."""
    if earlier is not None:
        del stretch[bisect_left(stretch, earlier.id, key=_id_of)]
    place = bisect_left(stretch, change.message_id, key=_id_of)
    if place == len(stretch):
        return
    message = stretch[place]
    if message.id != change.message_id or not isinstance(message, Message):
        return
    if change.text is None:
        del stretch[place]
    else:
        stretch[place] = edited(message, change)


def _trim_each(stretches: dict[Key, list[Entry]], until: int) -> None:
    for key in [key for key, stretch in stretches.items() if stretch and stretch[0].id <= until]:
        stretch = stretches[key]
        del stretch[: bisect_right(stretch, until, key=_id_of)]
        if not stretch:
            del stretches[key]


class Log:
    """A log in memory; each view costs the size of its result."""

    def __init__(self) -> None:
        self._general: list[Entry] = []
        self._mailboxes: defaultdict[int, list[Entry]] = defaultdict(list)
        self._private: defaultdict[frozenset[int], list[Entry]] = defaultdict(list)
        # The change of each message that has one here.
        self._changes: dict[int, MessageChange] = {}

    def extend(self, entries: list[Entry]) -> int:
        """Add entries in the order of their ids, which must be larger than any before.

        If there are changes of messages among them, :meth:`change` has to follow.

        :returns: the id of the last private one; 0 if there is none.
        """
        general = [entry for entry in entries if entry.recipient_id is None]
        self._general += general
        private = []
        if len(general) < len(entries):
            private = [entry for entry in entries if entry.recipient_id is not None]
        for entry in private:
            pair = participants(entry)
            self._private[pair].append(entry)
            for user_id in pair:
                self._mailboxes[user_id].append(entry)
        return private[-1].id if private else 0

    def change(self, changes: list[MessageChange]) -> None:
        """Have changes that were just added take effect."""
        for change in changes:
            self.apply(change)
            self._changes[change.message_id] = change

    def apply(self, change: MessageChange) -> None:
        """Have a change that is new take effect on what is here."""
        earlier = self._changes.pop(change.message_id, None)
        for stretch in self._stretches_of(change):
            _change(stretch, change, earlier)

    def trim(self, until: int) -> None:
        """Forget what is no longer kept: all up to an id."""
        changes = [change for change in self._changes.values() if change.id > until]
        self._changes = {change.message_id: change for change in changes}
        del self._general[: bisect_right(self._general, until, key=_id_of)]
        _trim_each(self._mailboxes, until)
        _trim_each(self._private, until)
        for change in changes:
            if change.message_id <= until and change.text is not None:
                self._changes[change.message_id] = blank = without_text(change)
                for stretch in self._stretches_of(change):
                    stretch[bisect_left(stretch, change.id, key=_id_of)] = blank

    def _stretches_of(self, entry: Entry) -> Iterator[list[Entry]]:
        """The stretches in which an entry stands, if any of its stands here."""
        if entry.recipient_id is None:
            yield self._general
            return
        pair = participants(entry)
        if pair in self._private:
            yield self._private[pair]
            for user_id in pair:
                yield self._mailboxes[user_id]

    def feed(self, user_id: int, after: int, limit: int) -> list[Entry]:
        """What a user may see after an id: at most ``limit`` entries, oldest first."""
        general = _after(self._general, after, limit)
        mailbox = self._mailboxes.get(user_id)
        if mailbox is None:
            return general
        private = _after(mailbox, after, limit)
        return list(merge(general, private, key=_id_of))[:limit] if private else general

    def has_private(self, user_id: int, after: int) -> bool:
        """Whether there is a private entry from or to a user after an id."""
        mailbox = self._mailboxes.get(user_id)
        return mailbox[-1].id > after if mailbox else False

    def general(self, before: int | None, limit: int) -> list[Message]:
        """The newest ``limit`` messages of the general chat, oldest first.

        :param before: only messages with a smaller id.
        """
        return _before(self._general, before, limit)

    def general_senders(self, before: int | None, limit: int, kept_after: int) -> list[Sent]:
        """Who has sent the newest ``limit`` messages of the general chat, oldest first.

        :param kept_after: up to this id no message counts, whenever it was withdrawn.
        """
        end = bisect_left(self._general, MAX_ID if before is None else before, key=_id_of)
        back = map(sent_of, (self._general[place] for place in range(end - 1, -1, -1)))
        senders = (sent for sent in back if sent is not None and sent.message_id > kept_after)
        return list(islice(senders, limit))[::-1]

    def private(self, user_id: int, other_id: int, before: int | None, limit: int) -> list[Message]:
        """The newest ``limit`` messages between two users, oldest first.

        :param before: only messages with a smaller id.
        """
        pair = self._private.get(frozenset((user_id, other_id)))
        return _before(pair, before, limit) if pair else []
