"""The bodies of requests and responses, and the parameters of URLs.

The server checks requests with these types and the client decodes responses with
them, so that the two can't disagree.  The OpenAPI document is made from them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from chatter.protocol.model import Cursor, Id, IdAsText, Name, Text

MAX_BODY = 64 * 1024
"""The largest body of a request that is read, in bytes."""

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000

MAX_WAIT = 60
"""The longest wait of a poll, in seconds."""

Limit = Annotated[
    int, Meta(ge=1, le=MAX_LIMIT, description="How many at most: an integer from 1 to 1000.")
]


class ConnectBody(Struct, frozen=True):
    """The body of ``POST /connect``."""

    name: Name | None = None


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


class StatusQuery(Struct, frozen=True):
    """The parameters of ``GET /status``.

    Without ``chat_type`` it is the poll, which ``after`` makes lossless; with
    it, it is a look into one chat, and ``before`` pages back.
    """

    limit: Limit | None = None
    after: (
        Annotated[
            Cursor,
            Meta(description="An id, or 0: messages after it; all up to it has been read."),
        ]
        | None
    ) = None
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
    chat_type: (
        Annotated[
            Literal["general", "common", "private"],
            Meta(description="The chat to look into: general (or common), or private."),
        ]
        | None
    ) = None
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

    after: (
        Annotated[
            Cursor, Meta(description="An id, or 0: begin after it; all up to it has been read.")
        ]
        | None
    ) = None


class UsersQuery(Struct, frozen=True):
    """The parameters of ``GET /users``."""

    after: Annotated[Cursor, Meta(description="An id, or 0: only users with a larger one.")] = 0
    limit: Limit = DEFAULT_LIMIT


class Connected(Struct, frozen=True):
    """The response to ``POST /connect``.

    :ivar token: left out where the application authenticates its users itself.
    """

    status: Literal["success"]
    user_id: Id
    name: str
    cursor: Cursor
    token: str | UnsetType = UNSET


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


class Health(Struct, frozen=True):
    """The response to ``GET /health``."""

    status: Literal["OK"]
