"""The head of one request, and what may be wrong with it.

llhttp rejects what is not HTTP, every shape of request smuggling included.  What
it leaves to its user is here: sizes, the ``Host`` header, the form of the target,
and codings that no client needs.
"""

from __future__ import annotations

import re
from copy import copy
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from chatter.httpd.limits import Limits

_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+;=:%\[\]-]*").fullmatch
_ABSOLUTE = re.compile(rb"https?://([^/?#]+)(.*)", re.IGNORECASE | re.DOTALL).fullmatch


@lru_cache(256)
def _is_host(value: bytes) -> bool:
    # Most requests name the same host.
    return _HOST(value) is not None


class RejectedRequest(Exception):
    """A request that is not given to any resource.

    :ivar status: the status of the response.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def check_sizes(uri: bytes, headers: list[tuple[bytes, bytes]], limits: Limits) -> None:
    """See that a target and headers, all together, are not too large or too many.

    :raises RejectedRequest: if they are.
    """
    size = len(uri) + sum(map(len, chain.from_iterable(headers)))
    if len(uri) > limits.uri:
        raise RejectedRequest(414)
    if size > limits.head or len(headers) > limits.headers:
        raise RejectedRequest(431)


class RequestHead:
    """The request line and the headers.

    :param uri: the target, as it came.
    :param headers: the names and values, as they came.
    :raises RejectedRequest: if the request is not to be read any further.

    :ivar headers: the values of each header, by its name in lower case.
    :ivar is_special: whether the response can't look as most do: to ``HEAD``, to HTTP/1.0, or
        to a request for the server as a whole.
    :ivar leaves_length_out: whether a ``Content-Length`` is not among the headers, for
        this head has come with bodies of several lengths; it is the body's.
    :ivar note: something that a resource keeps with the head, for when exactly the same
        head comes again; ``None`` at first.
    :ivar path: the path of the target, without the query.
    :ivar segments: what is between the slashes of the path, unquoted.
    :ivar query: the query of the target; ``None`` if there is none.
    :ivar protocol: ``HTTP/1.1`` or ``HTTP/1.0``.
    :ivar keep_alive: whether the client wants to send another request after it; the
        reader says it once the request has come whole.
    """

    __slots__ = (
        "headers",
        "is_special",
        "keep_alive",
        "leaves_length_out",
        "method",
        "note",
        "path",
        "protocol",
        "query",
        "segments",
        "uri",
    )

    def __init__(
        self,
        method: bytes,
        uri: bytes,
        version: str,
        headers: list[tuple[bytes, bytes]],
        limits: Limits,
    ) -> None:
        self.method = method
        self.uri = uri
        self.keep_alive = self.leaves_length_out = False
        self.note: Any = None
        check_sizes(uri, headers, limits)
        by_name: dict[bytes, list[bytes]] = {}
        for name, value in headers:
            key = name.lower()
            if key in by_name:
                by_name[key].append(value.rstrip(b" \t"))
            else:
                by_name[key] = [value.rstrip(b" \t")]
        self.headers = by_name
        if version == "1.1":
            self.protocol = b"HTTP/1.1"
        elif version == "1.0":
            self.protocol = b"HTTP/1.0"
        else:
            raise RejectedRequest(505)
        hosts = by_name.get(b"host")
        if hosts is None or len(hosts) != 1 or not _is_host(hosts[0]):
            self._check_odd_host(hosts)
        target = uri if uri.startswith(b"/") else self._odd_target()
        self.path, mark, query = target.partition(b"?")
        self.query = query if mark else None
        self.segments = self.path[1:].split(b"/")
        if len(self.segments) > limits.segments:
            # Each would be looked for by itself.
            raise RejectedRequest(414)
        if b"%" in self.path:
            self.segments = [unquote_to_bytes(segment) for segment in self.segments]
        self.is_special = method == b"HEAD" or version == "1.0" or self.path == b"*"
        if b"transfer-encoding" in by_name:
            self._check_coding(by_name[b"transfer-encoding"])
        # llhttp has rejected what is ambiguous.
        if b"content-length" in by_name and int(by_name[b"content-length"][0]) > limits.body:
            raise RejectedRequest(413)

    def without_length(self) -> RequestHead:
        """The same for a body of whatever length."""
        other = copy(self)
        other.headers = {**self.headers}
        del other.headers[b"content-length"]
        other.leaves_length_out = True
        return other

    def _check_odd_host(self, hosts: list[bytes] | None) -> None:
        """See whether it may be that no host is named, or none that can be."""
        if hosts is not None or self.protocol == b"HTTP/1.1":
            raise RejectedRequest(400)

    def _odd_target(self) -> bytes:
        """The path of a target that does not begin with a slash (RFC 9112, section 3.2)."""
        target = self.uri
        if target == b"*" or self.method == b"CONNECT":
            return target
        absolute = _ABSOLUTE(target)
        if absolute is None or not _is_host(absolute[1]):
            raise RejectedRequest(400)
        # Such a target says which host is meant, whatever the header says.
        self.headers[b"host"] = [absolute[1]]
        return absolute[2] if absolute[2][:1] == b"/" else b"/" + absolute[2]

    def _check_coding(self, coding: list[bytes]) -> None:
        """Check the coding of a body without a length."""
        if self.protocol == b"HTTP/1.0":
            raise RejectedRequest(400)
        if len(coding) > 1 or coding[0].lower() != b"chunked":
            raise RejectedRequest(501)

    @property
    def expects_continue(self) -> bool:
        """Whether the client sends the body only after ``100 Continue`` (RFC 9110, 10.1.1)."""
        expected = self.headers.get(b"expect")
        return (
            expected is not None
            and expected[0].lower() == b"100-continue"
            and self.protocol == b"HTTP/1.1"
        )
