"""Requests from pages of other sites are refused (CSRF).

A browser sends cookies, and the password of HTTP's Basic authentication, by itself, also with
requests that a page of another site makes.  So a request that they authenticate must come from
a page of the chat's own origin, from an origin that the operator has allowed, or from no page
at all.  This holds for all methods: also a ``GET`` moves a cursor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.protocol.errors import Forbidden
from chatter.web.cors import ANY_ORIGIN

if TYPE_CHECKING:
    from collections.abc import Collection

    from twisted.web.server import Request

_OWN = (b"same-origin", b"none")
"""``Sec-Fetch-Site`` of the chat's own pages, and of URLs that a person has typed."""


def refuse_foreign_page(request: Request, origins: Collection[str]) -> None:
    """Refuse a request that a page of another origin has made.

    Browsers say where a request comes from: in ``Sec-Fetch-Site`` or, over plain HTTP and
    in old browsers, in ``Origin``.  A request with neither does not come from a page of
    another site.  The exception is a ``GET`` over plain HTTP, whose origin is unknown.

    :param origins: origins whose pages may use the chat; ``*`` is any.
    :raises Forbidden: if it is from another origin.
    """
    origin = request.getHeader(b"Origin")
    if origin is not None and (ANY_ORIGIN in origins or origin.decode("latin-1") in origins):
        return
    site = request.getHeader(b"Sec-Fetch-Site")
    if site is not None:
        is_own = site.strip().lower() in _OWN
    else:
        is_own = origin is None or _host_of(origin) == _without_default_port(
            request.getHeader(b"Host") or b""
        )
    if not is_own:
        raise Forbidden("A page of another origin may not use this chat.")


def _host_of(origin: bytes) -> bytes | None:
    """The host and port of an origin, whose scheme a proxy may have changed."""
    _, separator, host = origin.partition(b"://")
    return _without_default_port(host) if separator else None


def _without_default_port(host: bytes) -> bytes:
    return host.strip().lower().removesuffix(b":443").removesuffix(b":80")
