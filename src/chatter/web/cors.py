"""Which web pages of other origins may use the chat: those that were named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from twisted.web.server import Request

ANY_ORIGIN = "*"

_PREFLIGHT_LIFETIME = 600

# Of ASCII, without / ? # @.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[!\"$-.0->A-~]+|\*")

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def checked_origins(origins: Collection[str]) -> tuple[str, ...]:
    """Return the origins of pages that may use the chat, as browsers write them.

    That is in lower case, and without the port that the scheme has by default.

    :raises TypeError: if they are one string instead of several.
    :raises ValueError: if one is no origin, and so would never match.
    """
    if isinstance(origins, str):
        raise TypeError(f"origins is a collection of strings: write origins=[{origins!r}].")
    return tuple(map(_checked_origin, origins))


def _checked_origin(origin: str) -> str:
    written = origin.lower() if isinstance(origin, str) else ""
    if not _ORIGIN.fullmatch(written):
        raise ValueError(
            f"{origin!r} is no origin: write the scheme and the host of the page in ASCII, and its "
            "port if it has one: https://chat.example.org or http://localhost:3000; or * for any."
        )
    return written.removesuffix(_DEFAULT_PORTS.get(written.partition(":")[0], ""))


def cors_headers(origin: bytes | None, origins: Collection[str]) -> tuple[tuple[bytes, bytes], ...]:
    """The headers that every response has, whether the page may read it or not.

    :param origin: the request's ``Origin``.
    :param origins: those that may.
    """
    if not origins:
        return ()
    vary = (b"Vary", b"Origin")
    if origin is None or not (ANY_ORIGIN in origins or origin.decode("latin-1") in origins):
        return (vary,)
    return (
        vary,
        (b"Access-Control-Allow-Origin", origin),
        (b"Access-Control-Expose-Headers", b"Authorization, Retry-After"),
    )


def allow_origin(request: Request, origins: Collection[str]) -> None:
    """Set the headers that allow the page's request, or don't (https://fetch.spec.whatwg.org).

    :param origins: such as ``https://chat.example.org``; ``*`` is any.
    """
    headers = cors_headers(request.getHeader(b"Origin"), origins)
    for name, value in headers:
        request.setHeader(name, value)
    if (
        len(headers) > 1
        and request.method == b"OPTIONS"
        and request.getHeader(b"Access-Control-Request-Method")
    ):
        request.setHeader(b"Access-Control-Allow-Methods", b"GET, HEAD, POST")
        request.setHeader(
            b"Access-Control-Allow-Headers",
            b"Authorization, Content-Type, Idempotency-Key, Last-Event-ID",
        )
        request.setHeader(b"Access-Control-Max-Age", b"%d" % _PREFLIGHT_LIFETIME)
