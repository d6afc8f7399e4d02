"""What it means when an exchange failed.

Twisted wraps the reason why a connection failed into errors that say how far the
request was sent.  Here both become one error of ours with one readable line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from OpenSSL import SSL
from twisted.internet.defer import CancelledError
from twisted.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionClosed,
    DNSLookupError,
)
from twisted.web._newclient import RequestNotSent
from twisted.web.client import RequestTransmissionFailed, ResponseDone, ResponseFailed
from twisted.web.http import PotentialDataLoss

from chatter.client.errors import NoResponse, ServerUnreachable, UnexpectedResponse
from chatter.client.tls import error_of_tls

if TYPE_CHECKING:
    from twisted.python.failure import Failure

SILENCE = 45.0
"""A server that shows for so many seconds that it is there by nothing is gone: three heartbeats."""

NEVER_SENT = (ConnectError, DNSLookupError, RequestNotSent, ConnectingCancelledError)
LOST = (ConnectionClosed, RequestTransmissionFailed, ResponseFailed, CancelledError)


def no_response(error: Exception, url: str) -> NoResponse:
    """The error for what one of :data:`NEVER_SENT` or :data:`LOST` was raised for."""
    root = root_of(error)
    if isinstance(root, NoResponse):
        return root
    if isinstance(root, SSL.Error):
        final = error_of_tls(root, url)
        if final is not None:
            return final
    if not is_of_the_network(root):
        return UnexpectedResponse(f"What {url} sends is not valid HTTP.")
    reason = str(root).strip().rstrip(".") or type(root).__name__
    return ServerUnreachable(
        f"{url} can't be reached: {reason}.", may_have_arrived=not isinstance(error, NEVER_SENT)
    )


def fallen_silent() -> ServerUnreachable:
    """The error for a body of which nothing came for :data:`SILENCE`."""
    return ServerUnreachable("The server has fallen silent.", may_have_arrived=True)


def error_of_body(reason: Failure, what: str, ended: str) -> NoResponse:
    """The error for a body that has ended too early.

    :param what: the body, as the subject of a sentence.
    :param ended: what is said if the server, or the network, has ended it.
    """
    if is_of_the_network(root_of(reason.value)) or reason.check(ResponseDone, PotentialDataLoss):
        return ServerUnreachable(ended, may_have_arrived=True)
    return UnexpectedResponse(f"{what} is not valid HTTP.")


def root_of(error: BaseException | None) -> BaseException | None:
    """The error that other errors were wrapped around."""
    reasons: list[Failure] = getattr(error, "reasons", None) or []
    return root_of(reasons[0].value) if reasons else error


def is_of_the_network(root: BaseException | None) -> bool:
    """Whether it is the connection that failed, and not what came over it."""
    return isinstance(root, (*NEVER_SENT, *LOST, OSError, SSL.Error))
