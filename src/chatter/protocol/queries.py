"""The parameters of URLs, and the limits of what one request returns.

The server checks requests with these types, and the OpenAPI document is made from them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from chatter.protocol.scalars import MAX_NAME, Cursor, Epoch, Id

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


class ReportsQuery(Struct, frozen=True):
    """The parameters of ``GET /reports``."""

    before: (
        Annotated[Id, Meta(description="The id of a report: only those that are older.")] | None
    ) = None
    limit: Annotated[
        int,
        Meta(ge=1, le=MAX_REPORTS, description="How many at most: an integer from 1 to 100."),
    ] = DEFAULT_REPORTS


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
