"""The entries of the log: messages, and changes of messages.

**A change is an entry like any other, and the message itself is the truth.**  An edit or a
withdrawal changes the message itself, and appends an entry that says "look at this message
again".  A reader who has read the message before finds the change by reading on, with the same
cursor.  A reader who has not reads the message as it is now.

The change has the sender and the recipient of its message, so that it is in the same
stretches of the log and reaches exactly those who may see the message.  It has no text of its
own, and only the newest change of a message stays: a million edits are one entry.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from chatter.protocol.model import Edited, Message, Withdrawn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chatter.protocol.model import Change


class Kind(IntEnum):
    """What an entry is, as the stores have it in a column."""

    MESSAGE = 0
    MESSAGE_CHANGE = 1


class MessageChange(Struct, frozen=True, gc=False):
    """An entry that says: look at a message again.

    :ivar sender_id: the sender of the message, as ``recipient_id`` is its recipient.
    :ivar text: what the message says now; ``None`` if it was withdrawn.
    :ivar by_id: the user who did it.
    :ivar at: when it was done, in UTC.
    """

    id: int
    sender_id: int
    recipient_id: int | None
    message_id: int
    text: str | None
    by_id: int
    at: datetime


Entry: TypeAlias = Message | MessageChange


class ChangeDraft(Struct, frozen=True, gc=False):
    """A change of a message before it has its id.

    :ivar text: what the message is to say from now on; ``None`` withdraws it.
    """

    message_id: int
    text: str | None
    by_id: int
    at: datetime


def for_readers(change: MessageChange) -> Change:
    """A change, as those get it who may see its message."""
    if change.text is None:
        return Withdrawn(change.id, change.message_id, change.at, change.by_id)
    return Edited(change.id, change.message_id, change.text, change.at)


def messages_of(entries: Iterable[Entry]) -> list[Message]:
    """The messages among some entries."""
    return [entry for entry in entries if isinstance(entry, Message)]


def changes_of(entries: Iterable[Entry]) -> list[MessageChange]:
    """The changes of messages among some entries."""
    return [entry for entry in entries if isinstance(entry, MessageChange)]


def edited(message: Message, change: MessageChange | ChangeDraft) -> Message:
    """A message as it is after an edit."""
    assert change.text is not None
    return Message(
        message.id,
        message.sender_id,
        message.recipient_id,
        change.text,
        message.sent_at,
        change.at,
    )
