"""Who sees what after cursor *n*: the log and every view of it, without I/O.

The invariant the whole of chatter stands on: **one append-only log of messages,
in id order, and everybody who reads it is a cursor into that log.**  A user's
feed is the general chat and the private messages from and to them, in id order;
what is new for a reader is always the feed after an id.

Because a message never changes and an id is never reused, a stretch of the log
that was read once is right for ever; or until the end of the log is lost, which begins
a new epoch (:mod:`chatter.log.lineage`) and has what is in memory forgotten.

Hence the two uses of :class:`Log` here: it is all that a store in memory needs, and
:class:`RecentLog` keeps the newest stretch of any other log at hand, so that a reader
who is nearly up to date (and most are, always) costs no query.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatter.protocol.model import Message

_id_of = attrgetter("id")


def participants(message: Message) -> frozenset[int]:
    """The users who may see a private message: the sender and the recipient.

    Of a message in the general chat everybody is one, so it has no such set.
    """
    assert message.recipient_id is not None
    return frozenset((message.sender_id, message.recipient_id))


def _after(messages: list[Message], cursor: int, limit: int) -> list[Message]:
    start = bisect_right(messages, cursor, key=_id_of)
    return messages[start : start + limit]


def _before(messages: list[Message], before: int | None, limit: int) -> list[Message]:
    end = len(messages) if before is None else bisect_right(messages, before - 1, key=_id_of)
    return messages[max(0, end - limit) : end]


class Log:
    """A log in memory; each view costs the size of its result."""

    def __init__(self) -> None:
        self._general: list[Message] = []
        self._mailboxes: defaultdict[int, list[Message]] = defaultdict(list)
        self._private: defaultdict[frozenset[int], list[Message]] = defaultdict(list)

    def extend(self, messages: list[Message]) -> int:
        """Add messages in the order of their ids, which must be larger than any before.

        :returns: the id of the last private one; 0 if there is none.
        """
        general = [message for message in messages if message.recipient_id is None]
        self._general += general
        if len(general) == len(messages):
            return 0
        private = [message for message in messages if message.recipient_id is not None]
        for message in private:
            pair = participants(message)
            self._private[pair].append(message)
            for user_id in pair:
                self._mailboxes[user_id].append(message)
        return private[-1].id

    def feed(self, user_id: int, after: int, limit: int) -> list[Message]:
        """What a user may see after an id: at most ``limit`` messages, oldest first."""
        general = _after(self._general, after, limit)
        mailbox = self._mailboxes.get(user_id)
        if mailbox is None:
            return general
        private = _after(mailbox, after, limit)
        return list(merge(general, private, key=_id_of))[:limit] if private else general

    def has_private(self, user_id: int, after: int) -> bool:
        """Whether there is a private message from or to a user after an id."""
        mailbox = self._mailboxes.get(user_id)
        return mailbox is not None and mailbox[-1].id > after

    def general(self, before: int | None, limit: int) -> list[Message]:
        """The newest ``limit`` messages of the general chat, oldest first.

        :param before: only messages with a smaller id.
        """
        return _before(self._general, before, limit)

    def private(self, user_id: int, other_id: int, before: int | None, limit: int) -> list[Message]:
        """The newest ``limit`` messages between two users, oldest first.

        :param before: only messages with a smaller id.
        """
        pair = self._private.get(frozenset((user_id, other_id)))
        return _before(pair, before, limit) if pair else []


class RecentLog:
    """The newest stretch of a log that is too long to be kept whole.

    It is made of two logs.  When the younger one is full, the older one is let
    go and the younger takes its place, so that forgetting costs no time.

    :param complete_after: the end of the log when this one starts.
    :param capacity: after how many characters of text (each message counts 200
        more) the younger log is full, which is looked at before it is extended.  Both
        together take some 10 MB by default.

    :ivar complete_after: every message with a larger id is here.  Who asks for
        what comes after a smaller id has to ask the store.
    :ivar last_id: the id of the newest message.
    :ivar last_private_id: the id of the newest private message; 0 before the first.
    """

    def __init__(self, complete_after: int, capacity: int = 4_000_000) -> None:
        self.complete_after = complete_after
        self.last_id = complete_after
        self.last_private_id = 0
        self._capacity = capacity
        self._size = 0
        self._older = Log()
        self._younger = Log()
        self._younger_after = complete_after

    def extend(self, messages: list[Message]) -> None:
        """Add some messages in id order, none of them added before."""
        if self._size >= self._capacity:
            self._older, self._younger = self._younger, Log()
            self.complete_after, self._younger_after = self._younger_after, self.last_id
            self._size = 0
        last_private_id = self._younger.extend(messages)
        if last_private_id:
            self.last_private_id = last_private_id
        self._size += 200 * len(messages) + sum([len(message.text) for message in messages])
        self.last_id = messages[-1].id

    def feed(self, user_id: int, after: int, limit: int) -> list[Message]:
        """What a user may see after an id that is at least ``complete_after``."""
        if after >= self.last_id:
            return []
        if after >= self._younger_after:
            return self._younger.feed(user_id, after, limit)
        messages = self._older.feed(user_id, after, limit)
        if len(messages) < limit:
            messages = messages + self._younger.feed(user_id, after, limit - len(messages))
        return messages

    def has_private(self, user_id: int, after: int) -> bool:
        """Whether there is a private message from or to a user after an id."""
        if self.last_private_id <= after:
            return False
        return self._younger.has_private(user_id, after) or self._older.has_private(user_id, after)
