"""Where ``web/`` meets the lean HTTP server, which does some things at less cost.

The resources run under any server of ``twisted.web``.  Code that needs what only a
:class:`chatter.httpd.LeanRequest` has looks whether the request is one.  If it is not, the code
does the same in the usual way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.httpd import LeanRequest

__all__ = ["LeanRequest", "header_of", "over", "query_of"]

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.web.server import Request


def header_of(request: Request, name: bytes) -> bytes | None:
    """The last value of a header of a request.

    :param name: in lower case; not ``content-length``.
    """
    if isinstance(request, LeanRequest) and not request.headers_may_differ:
        values = request.request_head.headers.get(name)
        return None if values is None else values[-1]
    value: bytes | None = request.getHeader(name)
    return value


def query_of(request: Request) -> bytes:
    """The query of a request's target, as it came; empty if there is none."""
    if isinstance(request, LeanRequest):
        return request.request_head.query or b""
    return request.uri.partition(b"?")[2]


def over(request: Request) -> Deferred[None]:
    """A Deferred that fires when a response was sent, or fails when nobody can get it any more."""
    return request.notify_over() if isinstance(request, LeanRequest) else request.notifyFinish()
