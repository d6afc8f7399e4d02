"""The bodies of requests and responses, and the parameters of URLs.

The server checks requests with these types and the client decodes responses with
them, so that the two can't disagree.  The OpenAPI document is made from them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from chatter.protocol.model import (
    MAX_NAME,
    ChatPage,
    Cursor,
    Epoch,
    Id,
    IdAsText,
    Invitation,
    Label,
    Name,
    Text,
)
from chatter.protocol.moderation import Action, Reason, Report, Seconds

MAX_BODY = 64 * 1024
"""The largest body of a request that is read, in bytes."""

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000

DEFAULT_CHATS = 50
MAX_CHATS = 100

DEFAULT_REPORTS = 50
MAX_REPORTS = 100

MAX_IDS = 100
"""So many users can be requested by their ids at once."""

MAX_WAIT = 60
"""The longest wait of a poll, in seconds."""

Limit = Annotated[
    int, Meta(ge=1, le=MAX_LIMIT, description="How many at most: an integer from 1 to 1000.")
]


ChatType = Annotated[
    Literal["general", "common", "private"],
    Meta(description="The chat: general (or common), or private."),
]

Peek = Annotated[bool, Meta(description="true, to only look and acknowledge nothing, or false.")]


Changes = Annotated[
    bool, Meta(description="1 or true, for changes of messages, too, or 0 or false.")
]


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
    created_at: datetime | None
    seen_at: datetime
    expires_at: datetime | None
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


class ReportsQuery(Struct, frozen=True):
    """The parameters of ``GET /reports``."""

    before: (
        Annotated[Id, Meta(description="The id of a report: only those that are older.")] | None
    ) = None
    limit: Annotated[
        int,
        Meta(ge=1, le=MAX_REPORTS, description="How many at most: an integer from 1 to 100."),
    ] = DEFAULT_REPORTS


class Reports(Struct, frozen=True):
    """The response to ``GET /reports``, newest first."""

    reports: list[Report]
    more: bool


class StatusQuery(Struct, frozen=True):
    """The parameters of ``GET /status``.

    Without ``chat_type`` it is the poll, which ``after`` makes lossless; with
    it, it is a look into one chat, and ``before`` pages back.
    """

    limit: Limit | None = None
    peek: Peek = False
    changes: Changes = False
    after: (
        Annotated[
            Cursor,
            Meta(description="An id, or 0: messages after it; all up to it has been read."),
        ]
        | None
    ) = None
    epoch: Epoch | None = None
    wait: (
        Annotated[
            float,
            Meta(
                ge=0,
                le=MAX_WAIT,
                description="How many seconds to wait for a message: a number from 0 to 60.",
            ),
        ]
        | None
    ) = None
    chat_type: ChatType | None = None
    recipient_id: (
        Annotated[
            Id,
            Meta(description="The id of the other user of a private chat; with chat_type=private."),
        ]
        | None
    ) = None
    before: (
        Annotated[Id, Meta(description="An id: only messages older than it; with chat_type.")]
        | None
    ) = None


class EventsQuery(Struct, frozen=True):
    """The parameters of ``GET /events``."""

    peek: Peek = False
    changes: Changes = False

    after: (
        Annotated[
            Cursor, Meta(description="An id, or 0: begin after it; all up to it has been read.")
        ]
        | None
    ) = None
    epoch: Epoch | None = None


class EpochEvent(Struct, frozen=True):
    """The data of the first event of a stream that was begun with an epoch.

    :ivar epoch: the epoch that the ids of the stream belong to.
    :ivar cursor: the stream begins after this id.
    :ivar moved_from: as for a page.
    """

    epoch: Epoch
    cursor: Cursor
    moved_from: Cursor | UnsetType = UNSET


class ChatsQuery(Struct, frozen=True):
    """The parameters of ``GET /chats``."""

    before: (
        Annotated[
            Id, Meta(description="An id: only private chats whose last message is older than it.")
        ]
        | None
    ) = None
    limit: Annotated[
        int,
        Meta(
            ge=1,
            le=MAX_CHATS,
            description="How many private chats at most: an integer from 1 to 100.",
        ),
    ] = DEFAULT_CHATS


class ReadBody(Struct, frozen=True):
    """The body of ``POST /read``."""

    id: Id
    chat_type: ChatType
    recipient_id: Id | None = None


class UsersQuery(Struct, frozen=True):
    """The parameters of ``GET /users``."""

    after: Annotated[Cursor, Meta(description="An id, or 0: only users with a larger one.")] = 0
    limit: Limit = DEFAULT_LIMIT
    ids: (
        Annotated[
            str,
            Meta(
                pattern=rf"^[1-9][0-9]{{0,18}}(,[1-9][0-9]{{0,18}}){{0,{MAX_IDS - 1}}}$",
                description="Only these users: 1 to 100 ids, separated by commas.",
            ),
        ]
        | None
    ) = None
    prefix: Annotated[
        str,
        Meta(
            max_length=MAX_NAME,
            description="Only users whose name begins with this, by name: at most 32 "
            "characters, whatever the case.",
        ),
    ] = ""
    online: Annotated[bool, Meta(description="true, for only users who are online, or false.")] = (
        False
    )


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
    last_seen: datetime


class Users(Struct, frozen=True):
    """The response to ``GET /users``, in the order of the ids."""

    users: list[Participant]
    more: bool


class Chats(ChatPage, frozen=True):
    """The response to ``GET /chats``.

    :ivar user: ``None`` if the request is nobody's; there are no chats then.
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
    muted_until: datetime | UnsetType = UNSET


class Health(Struct, frozen=True):
    """The response to ``GET /health``."""

    status: Literal["OK"]
