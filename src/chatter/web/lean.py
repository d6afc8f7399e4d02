"""Where ``web/`` meets the lean HTTP server, which does some things at less cost.

The resources run under any server of ``twisted.web``.  Code that needs what only a
:class:`chatter.httpd.LeanRequest` has looks whether the request is one.  If it is not, the code
does the same in the usual way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.httpd import LeanRequest

__all__ = ["LeanRequest", "query_of"]

if TYPE_CHECKING:
    from twisted.web.server import Request


def query_of(request: Request) -> bytes:
    """The query of a request's target, as it came; empty if there is none."""
    if isinstance(request, LeanRequest):
        return request.request_head.query or b""
    return request.uri.partition(b"?")[2]
