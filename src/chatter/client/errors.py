"""What goes wrong between the client and the chat, where the chat itself said nothing."""

from __future__ import annotations


class NoResponse(Exception):
    """There is no answer of a chat server.

    :param detail: one sentence for the person who reads it, without a token, a
        text or a name.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class ServerUnreachable(NoResponse):
    """The server could not be asked, or its answer did not arrive.

    :ivar may_have_arrived: whether the server may have done what it was asked;
        ``False`` if it certainly has not.
    :ivar retry_after: after how many seconds to try again, if that is known.
    """

    def __init__(self, detail: str, *, may_have_arrived: bool, retry_after: int = 0) -> None:
        super().__init__(detail)
        self.may_have_arrived = may_have_arrived
        self.retry_after = retry_after


class UnexpectedResponse(NoResponse):
    """Something answered that is no chat server, or a proxy in front of it."""
