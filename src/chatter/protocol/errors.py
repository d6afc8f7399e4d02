"""What can go wrong in a chat: a small, closed family.

The chat raises these, HTTP renders them, and the client raises them again; the
one table that maps them to responses and back is in :mod:`chatter.protocol.problems`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from chatter.protocol.model import FOREVER

if TYPE_CHECKING:
    from datetime import datetime


class ChatError(Exception):
    """The base of all errors of the chat.

    :param detail: one sentence for the person who reads it.  It never carries a
        token, a text or somebody else's name.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidRequest(ChatError):
    """The request can't be parsed or is not valid."""


class Unauthorized(ChatError):
    """There is no token, or nobody has it; or the application knows no user of the request."""

    def __init__(self, detail: str = "The request has no user.") -> None:
        super().__init__(detail)


class Forbidden(ChatError):
    """The user may not do this, or the request may not be made from where it comes."""

    def __init__(self, detail: str = "This is not allowed.") -> None:
        super().__init__(detail)


class Restricted(ChatError):
    """The user may not do this for a while, since a moderator or the operator says so.

    :ivar until: when it ends; ``None`` if that is not known.
    """

    what: ClassVar[str]

    def __init__(self, until: datetime | None = None, detail: str = "") -> None:
        super().__init__(detail or f"You are {self.what}{self.end_of(until)}.")
        self.until = until

    @staticmethod
    def end_of(until: datetime | None) -> str:
        """The part of a sentence that says until when, if there is an end."""
        return f" until {until:%Y-%m-%d %H:%M:%S} UTC" if until and until != FOREVER else ""


class Muted(Restricted):
    """The user reads, and may not send, edit or report."""

    what = "muted"


class Banned(Restricted):
    """The user, or the address that the request comes from, may not use the chat."""

    what = "banned"


class JoiningClosed(Forbidden):
    """Nobody can join now."""

    def __init__(self, detail: str = "Nobody can join this chat now.") -> None:
        super().__init__(detail)


class InvitationNeeded(Forbidden):
    """One joins with an invitation, and there is none, or no such invitation."""

    def __init__(self, detail: str = "One joins this chat with an invitation.") -> None:
        super().__init__(detail)


class InvitationExpired(Forbidden):
    """The invitation has expired."""

    def __init__(self, detail: str = "The invitation has expired.") -> None:
        super().__init__(detail)


class InvitationUsed(Forbidden):
    """As many have joined with the invitation as may."""

    def __init__(self, detail: str = "The invitation was used up.") -> None:
        super().__init__(detail)


class MisdirectedRequest(ChatError):
    """The URL names a host that is not this chat."""


class NotFound(ChatError):
    """There is nothing at that path."""


class UnknownRecipient(ChatError):
    """Nobody has that user id, or the user has left for good."""


class UnknownToken(ChatError):
    """The user has no token with that id."""


class TooManyTokens(ChatError):
    """The user has as many tokens as are allowed."""


class Gone(ChatError):
    """The message was withdrawn, or there is none with that id that the user may change."""

    def __init__(self, detail: str = "There is no such message any more.") -> None:
        super().__init__(detail)


class MethodNotAllowed(ChatError):
    """The path is there, but does not take that method."""


class NameTaken(ChatError):
    """Somebody has that name already, be it in another case."""


class KeyUsed(ChatError):
    """The key has been used for another request, or too long ago."""


class ContentTooLarge(ChatError):
    """The body is larger than the server reads."""


class UnsupportedMediaType(ChatError):
    """The body is encoded in a way that the server does not decode."""


class TransientError(ChatError):
    """It may well work a little later.

    :ivar retry_after: after how many seconds to try again.
    """

    def __init__(self, detail: str, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Quota:
    """What a limit allows.

    :ivar name: which limit it is.
    :ivar count: how many it allows.
    :ivar seconds: in how many seconds.
    """

    name: str
    count: int
    seconds: int


class TooManyRequests(TransientError):
    """This user, or this address, has requested too much lately.

    :ivar quota: what is allowed; ``None`` if it is not known.
    """

    def __init__(self, detail: str, retry_after: int = 1, quota: Quota | None = None) -> None:
        super().__init__(detail, retry_after)
        self.quota = quota


class StoreUnavailable(TransientError):
    """The store can't serve now.  Nothing was stored without a response."""


class InternalError(ChatError):
    """A defect of the server; its log has the cause."""
