"""The head of one request while it is read, and what is wrong with it.

llhttp refuses what is not HTTP, every shape of request smuggling included.  What
it leaves to its user is here: sizes, the ``Host`` field, the form of the target,
and codings nobody needs.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from chatter.httpd.limits import Limits

_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+;=:%\[\]-]*").fullmatch
_ABSOLUTE = re.compile(rb"https?://([^/?#]+)(.*)", re.IGNORECASE | re.DOTALL).fullmatch


@lru_cache(256)
def _is_host(value: bytes) -> bool:
    # Most requests ask the same host.
    return _HOST(value) is not None


class Refusal(Exception):
    """A request that is not given to any resource."""


class Head:
    """The request line and the header fields, as far as they have come.

    :ivar fields: the values of each field, by its name in lower case.
    :ivar path: the path of the target, without the query.
    :ivar query: the query of the target; ``None`` if there is none.
    :ivar protocol: ``HTTP/1.1`` or ``HTTP/1.0``.
    :ivar is_complete: whether all of the head has come.
    :ivar keep_alive: whether the client wants to send another request after it.
    :ivar refusal: the status that a refused request is answered with; 0 if it is not.
    :ivar size: how many bytes of the target and of fields have come.
    :ivar count: how many fields have come.
    :ivar body_size: how many bytes of the body have come.
    """

    __slots__ = (
        "body_size",
        "count",
        "fields",
        "is_complete",
        "keep_alive",
        "method",
        "path",
        "protocol",
        "query",
        "refusal",
        "size",
        "uri",
    )

    keep_alive: bool

    def __init__(self) -> None:
        self.uri = b""
        self.query: bytes | None = None
        self.fields: dict[bytes, list[bytes]] = {}
        self.is_complete = False
        self.refusal = 0
        self.size = 0
        self.count = 0
        self.body_size = 0

    def refuse(self, status: int) -> NoReturn:
        """Read no further.

        :raises Refusal: always.
        """
        self.refusal = status
        raise Refusal

    def complete(self, method: bytes, version: str, limits: Limits) -> None:
        """Take the rest, and check the whole.

        :raises Refusal: if the request is not to be read any further.
        """
        self.is_complete = True
        self.method = method
        if version == "1.1":
            self.protocol = b"HTTP/1.1"
        elif version == "1.0":
            self.protocol = b"HTTP/1.0"
        else:
            self.refuse(505)
        fields = self.fields
        hosts = fields.get(b"host")
        if hosts is None or len(hosts) != 1 or not _is_host(hosts[0]):
            self._check_odd_host(hosts)
        target = self.uri
        if not target.startswith(b"/"):
            target = self._odd_target()
        if b"?" in target:
            self.path, _, self.query = target.partition(b"?")
        else:
            self.path = target
        if b"transfer-encoding" in fields:
            self._check_coding(fields[b"transfer-encoding"])
        # llhttp has refused what is ambiguous.
        if b"content-length" in fields and int(fields[b"content-length"][0]) > limits.body:
            self.refuse(413)

    def _check_odd_host(self, hosts: list[bytes] | None) -> None:
        """See whether it may be that no host is named, or none that can be."""
        if hosts is not None or self.protocol == b"HTTP/1.1":
            self.refuse(400)

    def _odd_target(self) -> bytes:
        """What is asked for, if that does not begin with a slash (RFC 9112, section 3.2)."""
        target = self.uri
        if target == b"*" or self.method == b"CONNECT":
            return target
        absolute = _ABSOLUTE(target)
        if absolute is None or not _is_host(absolute[1]):
            self.refuse(400)
        # Such a target says which host is meant, whatever the field says.
        self.fields[b"host"] = [absolute[1]]
        return absolute[2] if absolute[2][:1] == b"/" else b"/" + absolute[2]

    def _check_coding(self, coding: list[bytes]) -> None:
        """See how a body comes whose length is not told."""
        if self.protocol == b"HTTP/1.0":
            self.refuse(400)
        if len(coding) > 1 or coding[0].lower() != b"chunked":
            self.refuse(501)

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits to be told to send the body (RFC 9110, 10.1.1)."""
        expected = self.fields.get(b"expect")
        return (
            expected is not None
            and expected[0].lower() == b"100-continue"
            and self.protocol == b"HTTP/1.1"
        )
