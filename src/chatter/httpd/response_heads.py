"""What responses begin with: the same bytes for all responses of one second.

``Server`` and ``Date`` are the same for a second, and most responses of a program have
the same headers.  So both are serialised once, and forgotten when the second is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.web.http import OK, RESPONSES, datetimeToString
from twisted.web.server import version

if TYPE_CHECKING:
    from collections.abc import Callable

_RESERVED = {b"connection", b"content-length", b"date", b"server", b"transfer-encoding"}

_NEWER_REASONS = {413: b"Content Too Large", 431: b"Request Header Fields Too Large"}


def reason_of(status: int) -> bytes:
    """The reason phrase of a status (RFC 9110, section 15; RFC 6585)."""
    reason: bytes = _NEWER_REASONS.get(status) or RESPONSES[status]
    return reason


def plain_error_body(status: int) -> tuple[bytes, bytes]:
    """The content type and the body of a response that no resource makes, by default."""
    return b"text/plain", reason_of(status) + b"\n"


class ResponseHeads:
    """The first bytes of responses.

    :param error_body: the content type and the body of a response with an error status
        that no resource makes.

    :ivar whole: the results of :meth:`head_with` within this second, by its argument.
    """

    def __init__(self, error_body: Callable[[int], tuple[bytes, bytes]]) -> None:
        self._error_body = error_body
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
        line = self._status_lines.get((code, reason))
        if line is None:
            line = self._status_lines[code, reason] = (
                b"HTTP/1.1 %d %b\r\nServer: %b\r\nDate: %b\r\n"
                % (code, b" ".join(reason.split()), version, datetimeToString(self._now))
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

    def error_response(self, status: int) -> bytes:
        """A whole response to a request that no resource sees."""
        content_type, body = self._error_body(status)
        return b"%bContent-Type: %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (
            self.status_line(status, reason_of(status)),
            content_type,
            len(body),
            body,
        )
