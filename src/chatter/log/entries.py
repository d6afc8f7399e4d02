"""The entries of the log: messages, changes of messages, and changes of users' standing.

**A change is an entry like any other, and the message itself is the truth.**  An edit or a
withdrawal changes the message itself, and appends an entry that says "look at this message
again".  A reader who has read the message before finds the change by reading on, with the same
cursor.  A reader who has not reads the message as it is now.

The change has the sender and the recipient of its message, so that it is in the same
stretches of the log and reaches exactly those who may see the message.  It has no text of its
own, and only the newest change of a message stays: a million edits are one entry.

The standing of a user (role, mute, ban) changes in the same way: the user's row is the truth,
and the entry says "look at this user again".  Its sender is the moderator, or 0 for the
operator, and its recipient is the user.  So it reaches these two, and every node hears of it.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from msgspec import Struct

from chatter.protocol.model import Edited, Erased, Message, Role, StandingChanged, Withdrawn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chatter.protocol.model import Change, Standing


class Kind(IntEnum):
    """What an entry is, as the stores have it in a column."""

    MESSAGE = 0
    MESSAGE_CHANGE = 1
    STANDING_CHANGE = 2
    USER_ERASED = 4
    ADDRESS_BAN = 5


class MessageChange(Struct, frozen=True, gc=False):
    """An entry that says: look at a message again.

    :ivar sender_id: the sender of the message, as ``recipient_id`` is its recipient.
    :ivar text: what the message says now; ``None`` if it was withdrawn.
    :ivar by_id: the user who did it.
    :ivar at: when it was done, in UTC.
    :cvar edited_at: true, as that of an edited message is, and that of all other entries
        that are no messages: one look at it finds what is not simply a new message.
    """

    id: int
    sender_id: int
    recipient_id: int | None
    message_id: int
    text: str | None
    by_id: int
    at: datetime
    edited_at: ClassVar[bool] = True


class Sent(Struct, frozen=True, gc=False):
    """An entry that shows who has sent a message: the message, or the change that has withdrawn it.

    :ivar at: when the message was sent, or withdrawn, in UTC.
    """

    id: int
    message_id: int
    sender_id: int
    at: datetime


def sent_of(entry: Entry) -> Sent | None:
    """What an entry shows of who has sent a message; ``None`` if it shows nothing new."""
    if isinstance(entry, Message):
        return Sent(entry.id, entry.id, entry.sender_id, entry.sent_at)
    if isinstance(entry, MessageChange) and entry.text is None:
        return Sent(entry.id, entry.message_id, entry.sender_id, entry.at)
    return None


class StandingChange(Struct, frozen=True, gc=False):
    """An entry that says: look at a user again.

    :ivar sender_id: the moderator who did it, or the operator.
    :ivar recipient_id: the user.
    :ivar at: when it was done, in UTC.

    For the rest it is what :class:`chatter.protocol.model.Standing` says, as of the time when
    the entry was read.
    """

    id: int
    sender_id: int
    recipient_id: int
    role: Role
    muted_until: datetime | None
    banned_until: datetime | None
    at: datetime
    text: ClassVar[None] = None
    edited_at: ClassVar[bool] = True


class UserErased(Struct, frozen=True, gc=False):
    """An entry that says: a user has left for good, and so do their messages, one by one.

    :ivar sender_id: the user.
    :ivar at: when it was done, in UTC.
    """

    id: int
    sender_id: int
    at: datetime
    recipient_id: ClassVar[None] = None
    text: ClassVar[None] = None
    edited_at: ClassVar[bool] = True


class AddressBan(Struct, frozen=True, gc=False):
    """An entry that says: look at the ban of a network again.

    Only the nodes hear of it: in the log it stands between the operator and nobody.

    :ivar until: how long the ban lasts; ``None`` if there is none.
    """

    id: int
    network: str
    until: datetime | None
    at: datetime
    sender_id: ClassVar[int] = 0
    recipient_id: ClassVar[int] = 0
    text: ClassVar[None] = None
    edited_at: ClassVar[bool] = True


Entry: TypeAlias = Message | MessageChange | StandingChange | UserErased | AddressBan


class ChangeDraft(Struct, frozen=True, gc=False):
    """A change of a message before it has its id.

    :ivar text: what the message is to say from now on; ``None`` withdraws it.
    """

    message_id: int
    text: str | None
    by_id: int
    at: datetime


class StandingDraft(Struct, frozen=True, gc=False):
    """A change of a user's standing before it has its id.

    :ivar what: which part of it changes.
    :ivar role: the new one, if it is the role.
    :ivar until: how long the mute or the ban lasts; ``None`` ends it.
    :ivar by_id: the moderator, or :data:`chatter.protocol.scalars.OPERATOR_ID`.
    """

    user_id: int
    what: Literal["role", "mute", "ban"]
    role: Role
    until: datetime | None
    by_id: int
    at: datetime


class ReportDraft(Struct, frozen=True, gc=False):
    """A report of a message before it is stored.

    :ivar author_id: the sender of the message.
    """

    message_id: int
    author_id: int
    reporter_id: int
    reason: str
    at: datetime


def standing_change(entry_id: int, draft: StandingDraft, standing: Standing) -> StandingChange:
    """The entry that says what the standing of a user is after a change."""
    return StandingChange(
        entry_id,
        draft.by_id,
        standing.user_id,
        standing.role,
        standing.muted_until,
        standing.banned_until,
        draft.at,
    )


def for_readers(change: Entry) -> Change:
    """An entry that is no message, as those get it who may see it."""
    if isinstance(change, UserErased):
        return Erased(change.id, change.sender_id, change.at)
    assert isinstance(change, MessageChange | StandingChange)
    if isinstance(change, StandingChange):
        return StandingChanged(
            change.id,
            change.recipient_id,
            change.role,
            change.muted_until,
            change.banned_until,
            change.at,
        )
    if change.text is None:
        return Withdrawn(change.id, change.message_id, change.at, change.by_id)
    return Edited(change.id, change.message_id, change.text, change.at)


def without_text(change: MessageChange) -> MessageChange:
    """A change of a message that is no longer kept: there is nothing to look at."""
    return MessageChange(
        change.id,
        change.sender_id,
        change.recipient_id,
        change.message_id,
        None,
        change.by_id,
        change.at,
    )


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
