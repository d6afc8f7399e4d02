"""The body of an error response, and the one table of error ⇄ status.

The server renders an error as a problem (`RFC 9457
<https://www.rfc-editor.org/rfc/rfc9457>`_); the client makes the same error of it.
"""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from chatter.protocol.errors import (
    Banned,
    ChatError,
    ContentTooLarge,
    Forbidden,
    Gone,
    InternalError,
    InvalidRequest,
    InvitationExpired,
    InvitationNeeded,
    InvitationUsed,
    JoiningClosed,
    KeyUsed,
    MethodNotAllowed,
    MisdirectedRequest,
    Muted,
    NameTaken,
    NotFound,
    Restricted,
    StoreUnavailable,
    TooManyRequests,
    TooManyTokens,
    TransientError,
    Unauthorized,
    UnknownRecipient,
    UnknownToken,
    UnsupportedMediaType,
)
from chatter.protocol.scalars import Time


class Problem(Struct, frozen=True):
    """The body of every error response.

    :ivar until: of one that ends by itself: when it does.
    """

    type: str
    title: str
    status: int
    detail: str
    until: Time | UnsetType = UNSET


PROBLEM_URN = "urn:chatter:"

ERRORS: dict[type[ChatError], tuple[str, int, str]] = {
    InvalidRequest: ("invalid-request", 400, "The request is not valid"),
    Unauthorized: ("unauthorized", 401, "A valid token is needed"),
    Forbidden: ("forbidden", 403, "This is not allowed"),
    Muted: ("muted", 403, "You are muted"),
    Banned: ("banned", 403, "You are banned"),
    JoiningClosed: ("joining-closed", 403, "Nobody can join now"),
    InvitationNeeded: ("invitation-needed", 403, "An invitation is needed"),
    InvitationExpired: ("invitation-expired", 403, "The invitation has expired"),
    InvitationUsed: ("invitation-used", 403, "The invitation was used up"),
    NotFound: ("not-found", 404, "There is nothing here"),
    UnknownRecipient: ("unknown-recipient", 404, "There is no such user"),
    UnknownToken: ("unknown-token", 404, "There is no such token"),
    MethodNotAllowed: ("method-not-allowed", 405, "The method is not allowed here"),
    NameTaken: ("name-taken", 409, "The name is taken"),
    KeyUsed: ("key-used", 409, "The key was used before"),
    TooManyTokens: ("too-many-tokens", 409, "There are too many tokens"),
    Gone: ("gone", 410, "The message is gone"),
    ContentTooLarge: ("content-too-large", 413, "The body is too large"),
    UnsupportedMediaType: (
        "unsupported-media-type",
        415,
        "The body's encoding is not supported",
    ),
    MisdirectedRequest: ("misdirected-request", 421, "This is not a host of the chat"),
    TooManyRequests: ("too-many-requests", 429, "Too many requests"),
    InternalError: ("internal-error", 500, "The server has a defect"),
    StoreUnavailable: ("store-unavailable", 503, "The chat can't serve now"),
}
"""Each error, the end of its problem type, its status and its title."""

_BY_TYPE = {PROBLEM_URN + slug: error for error, (slug, _, _) in ERRORS.items()}


def problem_of(error: ChatError) -> Problem:
    """The problem that an error is rendered as."""
    slug, status, title = ERRORS[type(error)]
    until = error.until if isinstance(error, Restricted) else None
    return Problem(PROBLEM_URN + slug, title, status, error.detail, until or UNSET)


def error_of(problem: Problem, retry_after: int = 1) -> ChatError | None:
    """The error that a problem stands for; ``None`` for one that is not ours.

    :param retry_after: seconds, as the response's ``Retry-After`` says.
    """
    error = _BY_TYPE.get(problem.type)
    if error is None:
        return None
    if issubclass(error, TransientError):
        return error(problem.detail, retry_after)
    if issubclass(error, Restricted):
        return error(problem.until or None, problem.detail)
    return error(problem.detail)
