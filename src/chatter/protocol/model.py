"""The values of the chat: messages, changes, users, pages.

All of them are frozen.  What ids, texts and names are valid is in :mod:`chatter.protocol.scalars`.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from chatter.protocol.scalars import ById, Cursor, Epoch, Id, Time, Unread

# gc=False: they refer to nothing that could refer back to them, and there are many.


class Message(Struct, frozen=True, gc=False, omit_defaults=True):
    """One message of the log, as it is now.

    :ivar id: given at commit, increasing in commit order, never reused.
    :ivar recipient_id: whom it was sent to privately; ``None`` for the general chat.
    :ivar sent_at: when the server took it, in UTC.
    :ivar edited_at: when its text was changed last, in UTC; ``None`` if it never was.
    """

    id: Id
    sender_id: Id
    recipient_id: Id | None
    text: str
    sent_at: Time
    edited_at: Time | None = None


class Edited(Struct, frozen=True, gc=False, tag_field="change", tag="edited"):
    """A message has another text now.

    :ivar id: of the change, which is an entry of the log like a message.
    :ivar at: when the message was edited, in UTC.
    """

    id: Id
    message_id: Id
    text: str
    at: Time


class Withdrawn(Struct, frozen=True, gc=False, tag_field="change", tag="withdrawn"):
    """A message is there no more.

    :ivar id: of the change, which is an entry of the log like a message.
    :ivar at: when the message was withdrawn, in UTC.
    :ivar by_id: the user who did it, or :data:`OPERATOR_ID`.
    """

    id: Id
    message_id: Id
    at: Time
    by_id: ById


Role: TypeAlias = Annotated[
    Literal["member", "moderator"], Meta(description="What a user may do: member, or moderator.")
]

FOREVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)
"""Until then somebody is muted or banned who is so without an end."""


class Standing(Struct, frozen=True, gc=False):
    """What a user may do.

    :ivar muted_until: the user may not send until then; ``None`` if nobody has muted them.
    :ivar banned_until: the user may do nothing until then.
    """

    user_id: Id
    role: Role = "member"
    muted_until: Time | None = None
    banned_until: Time | None = None


class StandingChanged(Struct, frozen=True, gc=False, tag_field="change", tag="standing"):
    """A user has another role, or is muted or banned, or is so no more.

    :ivar id: of the change, which is an entry of the log like a message.
    :ivar at: when it was done, in UTC.
    """

    id: Id
    user_id: Id
    role: Role
    muted_until: Time | None
    banned_until: Time | None
    at: Time


class Erased(Struct, frozen=True, gc=False, tag_field="change", tag="erased"):
    """A user has left for good; all of the user's messages are withdrawn.

    :ivar id: of the change, which is an entry of the log like a message.
    :ivar at: when it was done, in UTC.
    """

    id: Id
    user_id: Id
    at: Time


Change: TypeAlias = Edited | Withdrawn | StandingChanged | Erased


class Gap(Struct, frozen=True, gc=False):
    """A stretch of the log is no longer kept; a reader goes on after it.

    :ivar after: the reader has read up to this id.
    :ivar until: the last id that is no longer kept.
    """

    after: Cursor
    until: Id


class Draft(Struct, frozen=True, gc=False):
    """A message before it has its id.

    :ivar key: the sender's own name for this message; the log takes one message
        of one sender and key, however often it is appended.
    """

    sender_id: Id
    recipient_id: Id | None
    text: str
    sent_at: Time
    key: str | None = None


class User(Struct, frozen=True, gc=False):
    """A user of the chat.

    :ivar last_seen: when the user last made a request, in UTC; it may lag
        by as much as the store saves it late.
    """

    id: Id
    name: str
    last_seen: Time


class Token(Struct, frozen=True, gc=False):
    """One of the tokens of a user, without the secret itself.

    :ivar label: what the user calls it; empty if it was made when the user joined.
    :ivar created_at: in UTC; ``None`` if that is not known any more.
    :ivar seen_at: when it was used last, in UTC; it may lag by some minutes.
    """

    id: Id
    user_id: Id
    label: str
    created_at: Time | None
    seen_at: Time


class ReadMark(Struct, frozen=True, gc=False):
    """How far a user has read one chat.

    :ivar recipient_id: the other user of a private chat; ``None`` for the general chat.
    :ivar id: the user has read the chat up to this id.
    """

    recipient_id: Id | None
    id: Id


class Page(Struct, frozen=True):
    """A stretch of the log: its messages, oldest first, and its changes, oldest first.

    First the messages are taken, and then the changes, which may be of messages of the page.

    :ivar cursor: where the reader stands after it.
    :ivar more: whether there is more after it, or before it.
    :ivar epoch: the epoch that the cursor belongs to, if the reader has named one.
    :ivar moved_from: the position that the reader has named, if less than that was read of
        this log: it is another one since then, and the page begins where the two part.
    :ivar changes: left out if there are none, or the reader has not opted in.
    :ivar as_of: of a page of a history, if the reader has opted in to changes: a change with a
        larger id may not be in it, and is to be applied to it.
    :ivar gap: what is no longer kept between where the reader stood and the first message.
    :ivar kept_after: of the oldest page of a history, if messages up to this id are no longer kept.
    """

    messages: list[Message]
    cursor: int
    more: bool
    epoch: Epoch | UnsetType = UNSET
    moved_from: Cursor | UnsetType = UNSET
    changes: list[Change] | UnsetType = UNSET
    as_of: Cursor | UnsetType = UNSET
    gap: Gap | UnsetType = UNSET
    kept_after: Cursor | UnsetType = UNSET


class ChatSummary(Struct, frozen=True):
    """One chat in a user's list of chats.

    :ivar recipient_id: the other user of a private chat; ``None`` for the general chat.
    :ivar last: the newest message; ``None`` if there is none yet.
    :ivar read: the user has read the chat up to this id: the larger one of the chat's own
        read mark and the user's cursor.
    :ivar unread: how many messages of others come after ``read``, counted up to
        :data:`MOST_UNREAD` among the newest 1,000 of the chat.
    """

    recipient_id: Id | None
    last: Message | None
    read: Cursor
    unread: Unread


class ChatPage(Struct, frozen=True):
    """Some of a user's chats, newest message first.

    :ivar cursor: the user's cursor in the feed.
    :ivar last_id: the end of the log, before the chats were read: whoever follows the feed
        after it misses nothing that is not in the chats.
    :ivar chats: without ``before`` the general chat is the first of them.
    :ivar more: whether there are older private chats, before the last message of the last one.
    """

    cursor: Cursor
    last_id: Cursor
    chats: list[ChatSummary]
    more: bool
