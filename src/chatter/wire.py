"""The protocol's words: the bodies, and the one table of error ⇄ answer.

The server and the client share this file and nothing else, so that they can't
disagree.  The types are also what the OpenAPI document is made from.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from chatter.errors import (
    ChatError,
    ContentTooLarge,
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    NameTaken,
    NotFound,
    StoreUnavailable,
    TooManyRequests,
    TransientError,
    Unauthorized,
    UnknownRecipient,
)
from chatter.model import Cursor, Id, Name, Text

MAX_BODY = 64 * 1024
"""The largest body of a request that is read, in bytes."""

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000

MAX_WAIT = 60
"""The longest wait of a poll, in seconds."""

Limit = Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="How many at most: 1 to 1000.")]


class ConnectBody(Struct, frozen=True):
    """The body of ``POST /connect``."""

    name: Name | None = None


class SendBody(Struct, frozen=True):
    """The body of ``POST /send``."""

    text: Text


class SendPrivateBody(Struct, frozen=True):
    """The body of ``POST /send-private``."""

    text: Text
    recipient_id: Id


class StatusQuery(Struct, frozen=True):
    """The parameters of ``GET /status``.

    Without ``chat_type`` it is the poll, which ``after`` makes lossless; with
    it, it is a look into one chat, and ``before`` pages back.
    """

    limit: Limit | None = None
    after: (
        Annotated[
            Cursor,
            Meta(
                description="An id, or 0: answer what comes after it; all up to it has been read."
            ),
        ]
        | None
    ) = None
    wait: (
        Annotated[
            float,
            Meta(
                ge=0, le=MAX_WAIT, description="If nothing is there, wait so many seconds: 0 to 60."
            ),
        ]
        | None
    ) = None
    chat_type: (
        Annotated[
            Literal["general", "common", "private"],
            Meta(description="Look into a chat: general (or common), or private."),
        ]
        | None
    ) = None
    recipient_id: (
        Annotated[
            Id, Meta(description="The id of whose private chat with you; with chat_type=private.")
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
    """The answer to ``POST /connect``.

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
    """The answer to ``GET /users``, in the order of the ids."""

    users: list[Participant]
    more: bool


class Health(Struct, frozen=True):
    """The answer to ``GET /health``."""

    status: Literal["OK"]


class Problem(Struct, frozen=True):
    """The body of every error (`RFC 9457 <https://www.rfc-editor.org/rfc/rfc9457>`_)."""

    type: str
    title: str
    status: int
    detail: str


PROBLEM_URN = "urn:chatter:"

ERRORS: dict[type[ChatError], tuple[str, int, str]] = {
    InvalidRequest: ("invalid-request", 400, "The request is not valid"),
    Unauthorized: ("unauthorized", 401, "A valid token is needed"),
    NotFound: ("not-found", 404, "There is nothing here"),
    UnknownRecipient: ("unknown-recipient", 404, "There is no such user"),
    MethodNotAllowed: ("method-not-allowed", 405, "The method is not allowed here"),
    NameTaken: ("name-taken", 409, "The name is taken"),
    ContentTooLarge: ("content-too-large", 413, "The body is too large"),
    TooManyRequests: ("too-many-requests", 429, "Too many requests"),
    InternalError: ("internal-error", 500, "The server has a defect"),
    StoreUnavailable: ("store-unavailable", 503, "The chat can't serve now"),
}
"""Each error, the end of its problem type, its status and its title."""

_BY_TYPE = {PROBLEM_URN + slug: error for error, (slug, _, _) in ERRORS.items()}


def problem_of(error: ChatError) -> Problem:
    """What the server answers for an error."""
    slug, status, title = ERRORS[type(error)]
    return Problem(PROBLEM_URN + slug, title, status, error.detail)


def error_of(problem: Problem, retry_after: int = 1) -> ChatError | None:
    """The error that an answer stands for; ``None`` for one that is not ours.

    :param retry_after: seconds, as the answer's ``Retry-After`` says.
    """
    error = _BY_TYPE.get(problem.type)
    if error is None:
        return None
    if issubclass(error, TransientError):
        return error(problem.detail, retry_after)
    return error(problem.detail)
