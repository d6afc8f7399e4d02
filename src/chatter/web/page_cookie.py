"""The cookie that says who the user of the page is.

It holds the user's token, and no script can read it.  A browser sends cookies by itself, also
with requests of other sites' pages, and to every port of a host.  So it counts only

- together with the header ``Chatter-Page: 1``, which a page of another origin can't send:
  :mod:`chatter.web.cors` allows it to none; and
- if nothing says that the request is from a page of another origin
  (:mod:`chatter.web.csrf`).

It has no path: a browser takes the folder of the URL that set it, which is the chat's, also
behind a proxy that serves the chat below another path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.web.csrf import refuse_foreign_page

if TYPE_CHECKING:
    from twisted.web.server import Request

_LIFETIME = 34_560_000
"""As long as a browser keeps a cookie at most, in seconds: 400 days."""

_SHAPE = b"%b=%b; Max-Age=%d; HttpOnly; SameSite=Strict%b"


def is_from_page(request: Request) -> bool:
    """Whether a request says that it is from the chat's page."""
    return request.getHeader(b"Chatter-Page") == b"1"


def token_in_cookie(request: Request) -> str | None:
    """The token in the cookie of a request, if the cookie counts.

    :raises Forbidden: if a page of another origin had the request sent.
    """
    if not is_from_page(request):
        return None
    cookie = _cookie_in(request)
    if cookie is None:
        return None
    refuse_foreign_page(request, ())
    return cookie.decode("latin-1")


def setting(request: Request, token: str) -> tuple[bytes, bytes]:
    """The header that gives a browser the cookie."""
    # A proxy may have taken TLS off; what the browser itself says of the page is right.
    is_secure = (request.getHeader(b"Origin") or b"").startswith(b"https://")
    secure = b"; Secure" if is_secure else b""
    value = _SHAPE % (_name(request), token.encode("latin-1"), _LIFETIME, secure)
    return (b"Set-Cookie", value)


def clearing(request: Request) -> tuple[bytes, bytes]:
    """The header that takes the cookie from a browser."""
    return (b"Set-Cookie", _SHAPE % (_name(request), b"", 0, b""))


def _name(request: Request) -> bytes:
    """The name of the cookie: chats on several ports of a host have cookies of their own."""
    host, separator, port = (request.getHeader(b"Host") or b"").rpartition(b":")
    return b"chatter_" + port if host and separator and port.isdigit() else b"chatter"


def _cookie_in(request: Request) -> bytes | None:
    """The value of the cookie; of several the first one, which is that of the longest path."""
    wanted = _name(request)
    for pair in (request.getHeader(b"Cookie") or b"").split(b";"):
        name, _, value = pair.strip().partition(b"=")
        if name == wanted:
            return value
    return None
