"""Heads that a client sends again, byte for byte.

Over one connection most clients send the same head again and again: polls have the same
bytes, and sends differ at most in the length of the body.  So the result of parsing a head is
kept, and used again for the same head.

It pays where a connection is one client's.  Behind a proxy that sends the requests of many
users over one connection the heads alternate, and it gains nothing; so after a few misses in a
row the connection's heads are not kept any more, and cost nothing either.
"""

from __future__ import annotations

import re
from hmac import compare_digest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatter.httpd.limits import Limits
    from chatter.httpd.request_head import RequestHead

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)[ \t]*\r\n", re.IGNORECASE).search

_LARGEST = 1024
_MOST_LINES = 32
"""A head with more bytes or lines is not kept, for an idle connection shall cost little."""

_PATIENCE = 8
"""A client that did not repeat itself so many times in a row is not expected to."""


class HeadCache:
    """The parsed heads of one connection, the last one of each method.

    For a client that does not repeat itself nothing is kept after a while.

    :param limits: how large requests may be.
    """

    __slots__ = ("_known", "_limits", "_patience")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # By the first four bytes: the parsed head, how many bytes it has, and what in it
        # is before and after the length of the body (nothing after it, if there is none).
        self._known: dict[bytes, tuple[RequestHead, int, bytes, bytes]] = {}
        self._patience = _PATIENCE

    def read(self, data: bytes) -> tuple[RequestHead, bytes] | None:
        """The request, if what has come is just one whose head is known."""
        known = self._known.get(data[:4])
        if known is None:
            return None
        head, size, before, after = known
        body = data[size:]
        # A head has a token in it, so it is compared as secrets are.
        if not after:
            is_known = compare_digest(data, before)
        else:
            # The length may be another number of as many digits: the head is then no larger
            # than the one that was let through.
            length = len(body)
            is_known = length <= self._limits.body and compare_digest(
                data[:size], b"%b%d%b" % (before, length, after)
            )
        if not is_known:
            return None
        self._patience = _PATIENCE
        return head, body

    def learn(self, data: bytes, head: RequestHead, body: bytes) -> None:
        """Keep the head of a request, if all data was that request, and another may follow."""
        if not self._patience:
            self._known.clear()
            return
        self._patience -= 1
        end = len(data) - len(body)
        if end > _LARGEST or not head.keep_alive or data[:4] not in (b"GET ", b"POST"):
            return
        raw = data[:end]
        # A chunked body does not fit: on its way it was longer than it is.
        if raw.find(b"\r\n\r\n") != end - 4 or raw.count(b"\n") > _MOST_LINES:
            return
        length = _LENGTH(raw)
        if length is None:
            self._known[data[:4]] = (head, end, raw, b"")
        elif length[1] == b"%d" % len(body):
            start, stop = length.span(1)
            head = head.without_length()
            self._known[data[:4]] = (head, end, raw[:start], raw[stop:])
