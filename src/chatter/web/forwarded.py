"""The addresses that a request lists in ``X-Forwarded-For`` or ``Forwarded``, from the right.

They are lists (`RFC 7239 <https://www.rfc-editor.org/rfc/rfc7239>`_) to which each proxy adds the
peer that it has served.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.web.server import Request

HEADERS = (b"X-Forwarded-For", b"Forwarded")

_MOST_PROXIES = 16
"""A list with more trusted proxies than that is not read any further."""


def named_in(request: Request, header: bytes) -> Iterator[str] | None:
    """What a header lists, from the right; ``None`` if there is no such header."""
    if request.getHeader(header) is None:
        return None
    lines = request.requestHeaders.getRawHeaders(header, [])
    text = b",".join(lines).decode("latin-1")
    if header == b"Forwarded":
        return map(_for_in, islice(_split_from_right(text, ","), _MOST_PROXIES))
    parts = text.rsplit(",", _MOST_PROXIES + 1)[-_MOST_PROXIES:]
    return (part.strip() for part in reversed(parts))


def _split_from_right(text: str, separator: str) -> Iterator[str]:
    """The parts of an element or of a list of ``Forwarded``, the last one first.

    A separator in a quoted string is none: a proxy quotes what its client has sent, such as the
    host.  A client may begin the list with half a string; the proxy's part at the end is whole.
    """
    end = len(text)
    is_quoted = False
    for place in range(end - 1, -1, -1):
        letter = text[place]
        if letter == '"' and not (is_quoted and _is_escaped(text, place)):
            is_quoted = not is_quoted
        elif letter == separator and not is_quoted:
            yield text[place + 1 : end]
            end = place
    yield text[:end]


def _is_escaped(text: str, place: int) -> bool:
    """Whether there is an odd number of backslashes before a place."""
    start = place
    while text[start - 1 : start] == "\\":
        start -= 1
    return (place - start) % 2 == 1


def _for_in(element: str) -> str:
    """The client of one proxy, in an element of ``Forwarded``: the first one, if it has several."""
    client = ""
    for pair in _split_from_right(element, ";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            client = value.strip().strip('"')
    return client
