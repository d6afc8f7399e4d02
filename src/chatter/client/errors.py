"""What goes wrong between the client and the chat, where the chat itself said nothing."""

from __future__ import annotations


class NoResponse(Exception):
    """There is no response of a chat server.

    :param detail: one sentence for the person who reads it, without a token, a
        text or a name.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class ServerUnreachable(NoResponse):
    """The request did not reach the server, or its response did not arrive.

    :ivar may_have_arrived: whether the server may have done what was requested;
        ``False`` if it certainly has not.
    :ivar retry_after: after how many seconds to try again, if that is known.
    """

    def __init__(self, detail: str, *, may_have_arrived: bool, retry_after: int = 0) -> None:
        super().__init__(detail)
        self.may_have_arrived = may_have_arrived
        self.retry_after = retry_after


class UnexpectedResponse(NoResponse):
    """The response is not one of a chat server.

    Something else responds at that URL, or a proxy in front of the chat, or a
    server that sends more than a client should have to read.
    """


class UntrustedServer(NoResponse):
    """TLS did not prove that this is the server of the URL; nothing was sent to it."""


class ClientClosed(NoResponse):
    """The client was closed while it waited; what was requested may have been done."""

    def __init__(self) -> None:
        super().__init__("The client was closed.")
