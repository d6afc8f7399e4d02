"""What responses begin with: the same bytes for all responses of one second.

``Server`` and ``Date`` are the same for a second, and most responses of a program have
the same headers.  So both are serialised once, and forgotten when the second is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from twisted.web.http import OK, RESPONSES, datetimeToString
from twisted.web.server import version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_RESERVED = {b"connection", b"content-length", b"date", b"server", b"transfer-encoding"}

_NEWER_REASONS = {
    413: b"Content Too Large",
    421: b"Misdirected Request",
    422: b"Unprocessable Content",
    425: b"Too Early",
    426: b"Upgrade Required",
    428: b"Precondition Required",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    451: b"Unavailable For Legal Reasons",
    511: b"Network Authentication Required",
}

Headers: TypeAlias = "tuple[tuple[bytes, bytes], ...]"

ErrorPage: TypeAlias = "Callable[[int, Mapping[bytes, list[bytes]]], tuple[Headers, bytes]]"
"""Makes the response to a request that no resource sees.

It is given the status, and the headers of the request as far as they were read, by their
names in lower case; it returns the headers of the response and its body.
"""


def reason_of(status: int) -> bytes:
    """The reason phrase of a status (RFC 9110, section 15; RFC 6585)."""
    reason: bytes = _NEWER_REASONS.get(status) or RESPONSES.get(status, b"Unknown Status")
    return reason


def plain_error_page(status: int, _: Mapping[bytes, list[bytes]]) -> tuple[Headers, bytes]:
    """The response that no resource makes, by default."""
    return ((b"Content-Type", b"text/plain"),), reason_of(status) + b"\n"


class ResponseHeads:
    """The first bytes of responses.

    :param error_page: makes the response to a request that no resource sees.

    :ivar whole: the results of :meth:`head_with` within this second, by its argument.
    """

    def __init__(self, error_page: ErrorPage) -> None:
        self._error_page = error_page
        self._now = 0.0
        self._status_lines: dict[tuple[int, bytes], bytes] = {}
        self.whole: dict[tuple[tuple[bytes, bytes], ...], bytes] = {}

    def renew(self, now: float) -> None:
        """Begin another second.

        :param now: the wall clock's time, for the header ``Date``.
        """
        self._now = now
        self._status_lines.clear()
        self.whole.clear()

    def status_line(self, code: int, reason: bytes) -> bytes:
        """The status line, and the headers that all responses of this second have."""
        key = code, reason
        line = self._status_lines.get(key)
        if line is None:
            if reason == b"Unknown Status":
                reason = reason_of(code)
            line = self._status_lines[key] = b"HTTP/1.1 %d %b\r\nServer: %b\r\nDate: %b\r\n" % (
                code,
                b" ".join(reason.split()),
                version,
                datetimeToString(self._now),
            )
        return line

    def head_with(self, headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
        """The head of a response with status 200, up to and with some headers.

        :raises ValueError: if one of them is set by the server itself.
        """
        reserved = [name for name, _ in headers if name.lower() in _RESERVED]
        if reserved:
            raise ValueError(f"The server sets these headers: {reserved}.")
        lines = [self.status_line(OK, RESPONSES[OK])]
        lines += [b"%b: %b\r\n" % header for header in headers]
        head = self.whole[headers] = b"".join(lines)
        return head

    def error_response(self, status: int, request_headers: Mapping[bytes, list[bytes]]) -> bytes:
        """A whole response to a request that no resource sees, the last of its connection."""
        headers, body = self._error_page(status, request_headers)
        return b"%b%bContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (
            self.status_line(status, reason_of(status)),
            b"".join(b"%b: %b\r\n" % header for header in headers),
            len(body),
            body,
        )
