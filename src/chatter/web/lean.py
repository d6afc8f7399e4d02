"""Where ``web/`` meets the lean HTTP server, which does some things at less cost.

The resources run under any server of ``twisted.web``.  Code that needs what only a
:class:`chatter.httpd.LeanRequest` has calls :func:`lean`.  If that returns ``None``, the code
does the same in the usual way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.httpd import LeanRequest

if TYPE_CHECKING:
    from twisted.web.server import Request


def lean(request: Request) -> LeanRequest | None:
    """The request, if the lean server serves it."""
    return request if isinstance(request, LeanRequest) else None


def query_of(request: Request) -> bytes:
    """The query of a request's target, as it came; empty if there is none."""
    if isinstance(request, LeanRequest):
        return request.request_head.query or b""
    return request.uri.partition(b"?")[2]
