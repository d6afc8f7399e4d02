"""The head of a response, as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

USUAL_NAMES = {
    spelling: name
    for name in (
        b"Allow",
        b"Authorization",
        b"Cache-Control",
        b"Connection",
        b"Content-Encoding",
        b"Content-Length",
        b"Content-Type",
        b"ETag",
        b"Last-Modified",
        b"Location",
        b"Retry-After",
        b"Vary",
        b"WWW-Authenticate",
    )
    for spelling in (name, name.lower())
}
"""The headers that responses usually have, by two spellings."""


def serialise_head(
    start: bytes, headers: dict[bytes, bytes], repeated: Iterable[tuple[bytes, list[bytes]]]
) -> bytes:
    """A whole head.

    :param start: what all responses begin with: the status line, ``Server``, ``Date``.
    :param headers: those that stand once; they take the place of those of the start.
    :param repeated: those that stand more often.
    """
    if b"Server" in headers or b"Date" in headers:
        lines = [line for line in start.splitlines(True) if line.split(b":")[0] not in headers]
    else:
        lines = [start]
    lines += [b"%b: %b\r\n" % header for header in headers.items()]
    for name, values in repeated:
        lines += [b"%b: %b\r\n" % (name, value) for value in values]
    lines.append(b"\r\n")
    return b"".join(lines)
