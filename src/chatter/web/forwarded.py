"""The addresses that a request lists in ``X-Forwarded-For`` or ``Forwarded``, from the right.

They are lists (`RFC 7239 <https://www.rfc-editor.org/rfc/rfc7239>`_) to which each proxy adds the
peer that it has served.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.web.server import Request

HEADERS = (b"X-Forwarded-For", b"Forwarded")

_MOST_PROXIES = 16
"""A list with more trusted proxies than that is not read any further."""

_MOST_BYTES = 4096
"""So much of a list is read: what a proxy has added stands at its end."""

_MOST_PAIRS = 16
"""An element with more pairs names nobody; the RFC knows four."""

# These are for a text that is reversed: a quote is escaped if an odd number of backslashes is
# behind it.  Nothing in them is tried in a second way, so they take linear time.
_ESCAPED = r'"\\(?:\\\\)*(?!\\)'
_QUOTED = rf'"(?:[^"]+|{_ESCAPED})*(?:(?!{_ESCAPED})"|\Z)'
_PARTS = {mark: re.compile(rf'(?:[^"{mark}]+|{_QUOTED})*') for mark in ",;"}


def named_in(request: Request, header: bytes) -> tuple[str, ...] | None:
    """What a header lists, from the right; ``None`` if there is no such header."""
    if request.getHeader(header) is None:
        return None
    lines = request.requestHeaders.getRawHeaders(header, [])
    listed = b",".join(lines)
    return _parts_of(listed[-_MOST_BYTES:], len(listed) > _MOST_BYTES, header == b"Forwarded")


# A request is asked several times, and the requests of a connection list the same.
@lru_cache(256)
def _parts_of(listed: bytes, is_cut: bool, has_pairs: bool) -> tuple[str, ...]:
    text = listed.decode("latin-1")
    every = _split_from_right(text, ",") if has_pairs else reversed(text.rsplit(",", _MOST_PROXIES))
    parts = list(islice(every, _MOST_PROXIES + 1))
    if is_cut:
        # The first one has lost its beginning: it may be the end of what a proxy has quoted.
        parts.pop()
    return tuple(_for_in(part) if has_pairs else part.strip() for part in parts[:_MOST_PROXIES])


def _split_from_right(text: str, separator: str) -> Iterator[str]:
    """The parts of an element or of a list of ``Forwarded``, the last one first.

    A separator in a quoted string is none: a proxy quotes what its client has sent, such as the
    host.  A client may begin the list with half a string; the proxy's part at the end is whole.
    """
    backwards = text[::-1]
    start = 0
    while start <= len(text):
        part = _PARTS[separator].match(backwards, start)
        assert part is not None  # it may be empty
        yield part[0][::-1]
        start = part.end() + 1


def _for_in(element: str) -> str:
    """The client of one proxy, in an element of ``Forwarded``: the first one, if it has several."""
    client = ""
    pairs = list(islice(_split_from_right(element, ";"), _MOST_PAIRS + 1))
    for pair in pairs if len(pairs) <= _MOST_PAIRS else ():
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            client = value.strip().strip('"')
    return client
