"""Which web pages of other origins may use the chat: those that were named."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from twisted.web.server import Request

ANY_ORIGIN = "*"

_PREFLIGHT_LIFETIME = 600


def allow_origin(request: Request, origins: Collection[str]) -> None:
    """Tell the browser whether the page that asks may (https://fetch.spec.whatwg.org).

    :param origins: such as ``https://chat.example.org``; ``*`` is any.
    """
    request.setHeader(b"Vary", b"Origin")
    origin = request.getHeader(b"Origin")
    if origin is None or not (ANY_ORIGIN in origins or origin.decode("latin-1") in origins):
        return
    request.setHeader(b"Access-Control-Allow-Origin", origin)
    request.setHeader(b"Access-Control-Expose-Headers", b"Authorization, Retry-After")
    if request.method == b"OPTIONS" and request.getHeader(b"Access-Control-Request-Method"):
        request.setHeader(b"Access-Control-Allow-Methods", b"GET, HEAD, POST")
        request.setHeader(
            b"Access-Control-Allow-Headers",
            b"Authorization, Content-Type, Idempotency-Key, Last-Event-ID",
        )
        request.setHeader(b"Access-Control-Max-Age", b"%d" % _PREFLIGHT_LIFETIME)
