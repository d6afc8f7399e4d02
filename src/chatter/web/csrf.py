"""What a page of another site has a browser do is refused (CSRF).

A browser sends some things by itself, such as cookies and the password of HTTP's Basic
authentication, also with what a page of another site asks for.  So a request that is
authenticated by such things must show that it comes from a page of the chat's own origin,
from one that the operator has named, or from no page at all.  This holds of all methods:
also a ``GET`` moves a cursor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.protocol.errors import Forbidden
from chatter.web.cors import ANY_ORIGIN

if TYPE_CHECKING:
    from collections.abc import Collection

    from twisted.web.server import Request

_OWN = (b"same-origin", b"none")
"""What ``Sec-Fetch-Site`` says of the chat's own pages, and of what a person typed."""


def refuse_foreign_page(request: Request, origins: Collection[str]) -> None:
    """Refuse what a page of another origin has a browser ask for.

    Browsers say where a request comes from, in ``Sec-Fetch-Site`` or, over plain HTTP and
    if they are old, in ``Origin``.  A request with neither does not come from a page of
    another site, except for a ``GET`` over plain HTTP, which can't be told.

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
