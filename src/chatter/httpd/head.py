"""The head of one request while it is read, and what is wrong with it.

llhttp refuses what is not HTTP, every shape of request smuggling included.  What
it leaves to its user is here: sizes, the ``Host`` field, the form of the target,
and codings nobody needs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from chatter.httpd.limits import Limits

_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+;=:%\[\]-]*").fullmatch
_ABSOLUTE = re.compile(rb"https?://([^/?#]+)(.*)", re.IGNORECASE | re.DOTALL).fullmatch


class Refusal(Exception):
    """A request that is not given to any resource."""


class Head:
    """The request line and the header fields, as far as they have come.

    :ivar fields: the values of each field, by its name in lower case.
    :ivar path: the path of the target, without the query.
    :ivar query: the query of the target; ``None`` if there is none.
    :ivar keep_alive: whether the client wants to send another request after it.
    :ivar refusal: the status that a refused request is answered with; 0 if it is not.
    :ivar size: how many bytes of the target and of fields have come.
    :ivar body_size: how many bytes of the body have come.
    """

    __slots__ = (
        "_count",
        "body_size",
        "fields",
        "keep_alive",
        "method",
        "path",
        "query",
        "refusal",
        "size",
        "uri",
        "version",
    )

    def __init__(self) -> None:
        self.method = b""
        self.uri = b""
        self.path = b""
        self.query: bytes | None = None
        self.version = "1.1"
        self.fields: dict[bytes, list[bytes]] = {}
        self.keep_alive = False
        self.refusal = 0
        self.size = 0
        self.body_size = 0
        self._count = 0

    def refuse(self, status: int) -> NoReturn:
        """Read no further.

        :raises Refusal: always.
        """
        self.refusal = status
        raise Refusal

    def add_uri(self, part: bytes, limits: Limits) -> None:
        """Take a part of the target.

        :raises Refusal: if it is too long.
        """
        self.uri += part
        self.size += len(part)
        if len(self.uri) > limits.uri:
            self.refuse(414)

    def add_field(self, name: bytes, value: bytes, limits: Limits) -> None:
        """Take a field.

        :raises Refusal: if there are too many, or they are too large.
        """
        self.skip_field(name, value, limits)
        self.fields.setdefault(name.lower(), []).append(value.rstrip(b" \t"))

    def skip_field(self, name: bytes, value: bytes, limits: Limits) -> None:
        """Count a field, but forget it.

        :raises Refusal: if there are too many, or they are too large.
        """
        self.size += len(name) + len(value)
        self._count += 1
        if self.size > limits.head or self._count > limits.fields:
            self.refuse(431)

    def complete(self, method: bytes, version: str, limits: Limits) -> None:
        """Take the rest, and check the whole.

        :raises Refusal: if the request is not to be read any further.
        """
        self.method = method
        self.version = version
        if version not in ("1.1", "1.0"):
            self.refuse(505)
        self._check_target()
        self._check_framing(limits)

    def _check_target(self) -> None:
        """See what is asked for, and of which host (RFC 9112, sections 3.2 and 7.2)."""
        hosts = self.fields.get(b"host")
        if hosts is None:
            if self.version == "1.1":
                self.refuse(400)
        elif len(hosts) > 1 or _HOST(hosts[0]) is None:
            self.refuse(400)
        target = self.uri
        if target[:1] != b"/" and target != b"*" and self.method != b"CONNECT":
            absolute = _ABSOLUTE(target)
            if absolute is None or _HOST(absolute[1]) is None:
                self.refuse(400)
            # Such a target says which host is meant, whatever the field says.
            self.fields[b"host"] = [absolute[1]]
            target = absolute[2] if absolute[2][:1] == b"/" else b"/" + absolute[2]
        self.path, mark, query = target.partition(b"?")
        if mark:
            self.query = query

    def _check_framing(self, limits: Limits) -> None:
        """See how the body comes; llhttp has refused what is ambiguous."""
        coding = self.fields.get(b"transfer-encoding")
        if coding is not None:
            if self.version == "1.0":
                self.refuse(400)
            if len(coding) > 1 or coding[0].lower() != b"chunked":
                self.refuse(501)
        length = self.fields.get(b"content-length")
        if length is not None and int(length[0]) > limits.body:
            self.refuse(413)

    def add_body(self, size: int, limits: Limits) -> None:
        """Take note of a part of the body, which may be chunked.

        :raises Refusal: if it is too large now.
        """
        self.body_size += size
        if self.body_size > limits.body:
            self.refuse(413)

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits to be told to send the body (RFC 9110, 10.1.1)."""
        expected = self.fields.get(b"expect")
        return (
            expected is not None
            and expected[0].lower() == b"100-continue"
            and self.version == "1.1"
        )
