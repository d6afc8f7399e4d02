"""The entries of a store in memory: the log, each message as it is now, and the keys of sends."""

from __future__ import annotations

from itertools import islice, takewhile
from typing import TYPE_CHECKING

from chatter.log.entries import MessageChange, edited
from chatter.log.feed import Log
from chatter.protocol.errors import Gone
from chatter.protocol.model import Message
from chatter.stores.memory.chats import MemoryChats

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from chatter.log.entries import AddressBan, ChangeDraft, Entry, StandingChange, UserErased
    from chatter.protocol.model import Draft


class MemoryEntries:
    """What was appended, and is still kept.

    :param report: is given each new entry.

    :ivar log: the entries.
    :ivar chats: the lists of chats.
    :ivar messages: the messages by id, as they are now.
    :ivar last_id: the id of the newest entry.
    """

    def __init__(self, report: Callable[[Entry], None]) -> None:
        self.log = Log()
        self.chats = MemoryChats(self.log)
        self.messages: dict[int, Message] = {}
        self.last_id = 0
        self._report = report
        self._ids_by_key: dict[tuple[int, str], int] = {}
        # Of each entry that is in the log: when it was made, and the key that it holds.
        self._made_at: dict[int, datetime] = {}
        self._keys: dict[int, tuple[int, str]] = {}
        self._change_of: dict[int, int] = {}

    def next_id(self) -> int:
        """The id of an entry that is about to be appended."""
        self.last_id += 1
        return self.last_id

    def append(self, entry: StandingChange | UserErased | AddressBan) -> None:
        """Append an entry that is about no message."""
        self._made_at[entry.id] = entry.at
        self.log.extend([entry])
        self._report(entry)

    def append_message(self, draft: Draft) -> Message:
        """Append a message whose key is new."""
        message = Message(
            self.next_id(), draft.sender_id, draft.recipient_id, draft.text, draft.sent_at
        )
        self.messages[message.id] = message
        self._made_at[message.id] = message.sent_at
        self.log.extend([message])
        if message.recipient_id is not None:
            self.chats.note(message)
        if draft.key is not None:
            self._ids_by_key[draft.sender_id, draft.key] = message.id
            self._keys[message.id] = (draft.sender_id, draft.key)
        self._report(message)
        return message

    def change(self, draft: ChangeDraft) -> tuple[int | None, Message]:
        """Edit or withdraw a message.

        :raises Gone: if there is no such message.
        """
        message = self.message(draft.message_id)
        if message.text == draft.text:
            return None, message
        change = MessageChange(
            self.next_id(),
            message.sender_id,
            message.recipient_id,
            message.id,
            draft.text,
            draft.by_id,
            draft.at,
        )
        self._made_at.pop(self._change_of.pop(message.id, 0), None)
        self._made_at[change.id] = change.at
        if draft.text is None:
            del self.messages[message.id], self._made_at[message.id]
            if message.id in self._keys:
                self._keys[change.id] = self._keys.pop(message.id)
        else:
            self._change_of[message.id] = change.id
            message = self.messages[message.id] = edited(message, draft)
        self.log.extend([change])
        self.log.change([change])
        self.chats.look_at(message)
        self._report(change)
        return change.id, message

    def trim(self, kept_after: int, until: int) -> None:
        """Forget what comes after an id, up to another one."""
        gone = []
        for entry_id in range(kept_after + 1, until + 1):
            if self._made_at.pop(entry_id, None) is None:
                continue
            self._change_of.pop(entry_id, None)
            if entry_id in self._keys:
                del self._ids_by_key[self._keys.pop(entry_id)]
            if entry_id in self.messages:
                gone.append(self.messages.pop(entry_id))
        self.log.trim(until)
        self.chats.trim(gone)

    def count(self, after: int, until: int) -> tuple[int, int]:
        """How many general and how many private messages there are in a stretch."""
        stretch = range(after + 1, min(until, self.last_id) + 1)
        found = [self.messages[i] for i in stretch if i in self.messages]
        private = sum(message.recipient_id is not None for message in found)
        return len(found) - private, private

    def old(self, after: int, until: int, before: datetime, limit: int) -> tuple[int, int]:
        """How many entries of a stretch come before the first one that is not old."""
        stretch = range(after + 1, min(until, self.last_id) + 1)
        entries = islice((i for i in stretch if i in self._made_at), limit)
        old = [*takewhile(lambda i: self._made_at[i] < before, entries)]
        return len(old), old[-1] if old else after

    def sent(self, sender_id: int, key: str) -> Message | None:
        """The message that a user has sent with a key.

        :raises Gone: if it was withdrawn.
        """
        message_id = self._ids_by_key.get((sender_id, key))
        return None if message_id is None else self.message(message_id)

    def message(self, message_id: int) -> Message:
        """The message with that id.

        :raises Gone: if there is none, or none any more.
        """
        message = self.messages.get(message_id)
        if message is None:
            raise Gone
        return message
