"""The lists of chats of a store in memory, and what was read of each chat."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

from chatter.log.feed import participants
from chatter.protocol.model import ChatSummary, ReadMark
from chatter.protocol.scalars import MOST_UNREAD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chatter.log.feed import Log
    from chatter.protocol.model import Message

_COUNTED = 1000
"""Among so many of the newest messages of a chat the unread ones are counted."""


class MemoryChats:
    """The chats of all users.

    :param log: the log whose messages they have.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        # For each user the others of private chats, the newest last, and the last message.
        self._chats: defaultdict[int, dict[int, Message]] = defaultdict(dict)
        self._read_marks: dict[tuple[int, int | None], int] = {}

    def note(self, message: Message) -> None:
        """Have a new private message be the last one of its chats."""
        assert message.recipient_id is not None
        self._note(message.sender_id, message.recipient_id, message)
        self._note(message.recipient_id, message.sender_id, message)

    def _note(self, user_id: int, other_id: int, message: Message) -> None:
        chats = self._chats[user_id]
        chats.pop(other_id, None)
        chats[other_id] = message

    def look_at(self, message: Message) -> None:
        """Have the chats of a message that has changed show what is their last one now."""
        if message.recipient_id is None:
            return
        pair = participants(message)
        for user_id in pair:
            (other_id,) = pair - {user_id} or pair
            chats = self._chats[user_id]
            last = self._log.private(user_id, other_id, None, 1)
            if last:
                chats[other_id] = last[0]
            else:
                chats.pop(other_id, None)
            newest_last = sorted(chats.items(), key=lambda chat: chat[1].id)
            self._chats[user_id] = dict(newest_last)

    def trim(self, gone: Iterable[Message]) -> None:
        """Take out the chats whose last message is among those that are gone from the log."""
        for message in gone:
            if message.recipient_id is None:
                continue
            for user_id in (pair := participants(message)):
                (other_id,) = pair - {user_id} or pair
                last = self._chats[user_id].get(other_id)
                if last is not None and last.id == message.id:
                    del self._chats[user_id][other_id]

    def page(self, user_id: int, cursor: int, before: int | None, limit: int) -> list[ChatSummary]:
        """The chats of a user, newest message first."""
        newest = reversed(self._chats[user_id].items())
        wanted = ((i, last) for i, last in newest if before is None or last.id < before)
        found = [self._summary(user_id, i, last, cursor) for i, last in islice(wanted, limit)]
        if before is None:
            last = self._log.general(None, 1)
            found.insert(0, self._summary(user_id, None, last[0] if last else None, cursor))
        return found

    def _summary(
        self, user_id: int, other_id: int | None, last: Message | None, cursor: int
    ) -> ChatSummary:
        read = max(cursor, self._read_marks.get((user_id, other_id), 0))
        newest = (
            self._log.general(None, _COUNTED)
            if other_id is None
            else self._log.private(user_id, other_id, None, _COUNTED)
        )
        unread = sum(m.id > read and m.sender_id != user_id for m in newest)
        return ChatSummary(other_id, last, read, min(unread, MOST_UNREAD))

    def mark_read(self, user_id: int, other_id: int | None, message_id: int) -> None:
        """Move the read mark of one chat on."""
        if other_id is None or other_id in self._chats[user_id]:
            mark = self._read_marks.get((user_id, other_id), 0)
            self._read_marks[user_id, other_id] = max(mark, message_id)

    def read_marks(self, user_id: int, after: int, limit: int) -> list[ReadMark]:
        """The read marks of a user, by the id of the other user, or 0 for the general chat."""
        marks = [
            ReadMark(other_id, message_id)
            for (of_user, other_id), message_id in self._read_marks.items()
            if of_user == user_id and (other_id or 0) > after
        ]
        return sorted(marks, key=lambda mark: mark.recipient_id or 0)[:limit]

    def forget_marks(self, user_id: int) -> None:
        """Forget what a user has read."""
        for pair in [pair for pair in self._read_marks if pair[0] == user_id]:
            del self._read_marks[pair]
