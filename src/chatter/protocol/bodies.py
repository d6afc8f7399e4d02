"""The bodies of requests and responses.

The server checks requests with these types and the client decodes responses with
them, so that the two can't disagree.  The OpenAPI document is made from them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from chatter.protocol.model import ChatPage
from chatter.protocol.moderation import Action, Reason, Report, Seconds
from chatter.protocol.queries import ChatType
from chatter.protocol.scalars import (
    MAX_NAME,
    Cursor,
    Epoch,
    Id,
    IdAsText,
    Invitation,
    Label,
    Name,
    Text,
    Time,
)

MAX_BODY = 64 * 1024
"""The largest body of a request that is read, in bytes."""


class ConnectBody(Struct, frozen=True, omit_defaults=True):
    """The body of ``POST /connect``."""

    name: Name | None = None
    cookie: Annotated[
        bool, Meta(description="true, to put the token into a cookie of the browser, or false.")
    ] = False
    invitation: Invitation | None = None


class SendBody(Struct, frozen=True, omit_defaults=True):
    """The body of ``POST /send``.

    :ivar recipient_id: refused, so that no private text becomes public by mistake.
    """

    text: Text
    recipient_id: Annotated[
        None, Meta(description="Nothing; a private message goes to POST /send-private.")
    ] = None


class SendPrivateBody(Struct, frozen=True):
    """The body of ``POST /send-private``."""

    text: Text
    recipient_id: Annotated[
        Id | IdAsText,
        Meta(
            description="The id of a user: an integer from 1 to 9223372036854775807, or the same "
            "as a decimal string."
        ),
    ]


class TokenBody(Struct, frozen=True):
    """The body of ``POST /tokens``."""

    label: Label = ""


class NewToken(Struct, frozen=True):
    """The response to ``POST /tokens``: the only one that has the token itself."""

    id: Id
    label: str
    token: str


class TokenInfo(Struct, frozen=True):
    """A token of the user.

    :ivar label: empty for the token with which the user joined.
    :ivar created_at: ``None`` if that is not known any more.
    :ivar seen_at: when it was used last; some minutes late.
    :ivar expires_at: when it ends if it is not used any more; ``None`` for never.
    :ivar current: whether the request has it.
    """

    id: Id
    label: str
    created_at: Time | None
    seen_at: Time
    expires_at: Time | None
    current: bool


class TokenList(Struct, frozen=True):
    """The response to ``GET /tokens``, by id."""

    tokens: list[TokenInfo]


class RevokeBody(Struct, frozen=True):
    """The body of ``POST /tokens/revoke``."""

    id: Id


class EraseBody(Struct, frozen=True):
    """The body of ``POST /erase``.

    :ivar name: the user's own, so that nobody leaves by mistake.
    """

    name: Annotated[str, Meta(max_length=MAX_NAME, description="The user's own name.")]


class EditBody(Struct, frozen=True):
    """The body of ``POST /edit``."""

    message_id: Id
    text: Text


class WithdrawBody(Struct, frozen=True):
    """The body of ``POST /withdraw``."""

    message_id: Id


class WithdrawnMessage(Struct, frozen=True):
    """The response to ``POST /withdraw``.

    :ivar change_id: of the entry that says so.
    """

    message_id: Id
    change_id: Id


class ModerateBody(Struct, frozen=True):
    """The body of ``POST /moderate``.

    :ivar seconds: for how long; without an end if it is left out or null.
    :ivar reason: for the server's log.
    """

    user_id: Id
    action: Action
    seconds: Seconds | None = None
    reason: Reason = ""


class ReportBody(Struct, frozen=True):
    """The body of ``POST /report``.

    :ivar reason: for the moderators.
    """

    message_id: Id
    reason: Reason = ""


class Reports(Struct, frozen=True):
    """The response to ``GET /reports``, newest first."""

    reports: list[Report]
    more: bool


class EpochEvent(Struct, frozen=True):
    """The data of the first event of a stream that was begun with an epoch.

    :ivar epoch: the epoch that the ids of the stream belong to.
    :ivar cursor: the stream begins after this id.
    :ivar moved_from: as for a page.
    """

    epoch: Epoch
    cursor: Cursor
    moved_from: Cursor | UnsetType = UNSET


class ReadBody(Struct, frozen=True):
    """The body of ``POST /read``."""

    id: Id
    chat_type: ChatType
    recipient_id: Id | None = None


class Connected(Struct, frozen=True):
    """The response to ``POST /connect``.

    :ivar token: left out where the application authenticates its users itself.
    """

    status: Literal["success"]
    user_id: Id
    name: str
    cursor: Cursor
    token: str | UnsetType = UNSET


class Done(Struct, frozen=True):
    """The response to what has no result."""

    status: Literal["success"] = "success"


class Participant(Struct, frozen=True):
    """A user, as the others see them."""

    id: Id
    name: str
    online: bool
    last_seen: Time


class Users(Struct, frozen=True):
    """The response to ``GET /users``, in the order of the ids."""

    users: list[Participant]
    more: bool


class Chats(ChatPage, frozen=True):
    """The response to ``GET /chats``.

    :ivar user: ``None`` if the request is of no user; there are no chats then.
    :ivar can_join: whether ``POST /connect`` makes new users.
    :ivar needs_invitation: whether it does so for those only who have an invitation.
    :ivar uses_tokens: whether users have tokens although nobody can join; where somebody can
        join, they always have.
    :ivar role: of the user, if it is not that of a member.
    :ivar muted_until: until when the user may not send, if somebody has muted them.
    """

    user: Participant | None
    can_join: bool
    needs_invitation: Literal[True] | UnsetType = UNSET
    uses_tokens: Literal[True] | UnsetType = UNSET
    role: Literal["moderator"] | UnsetType = UNSET
    muted_until: Time | UnsetType = UNSET


class Health(Struct, frozen=True):
    """The response to ``GET /health``."""

    status: Literal["OK"]
