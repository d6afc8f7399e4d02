"""The head of one request while it is read, and what is wrong with it.

llhttp refuses what is not HTTP, every shape of request smuggling included.  What
it leaves to its user is here: sizes, the ``Host`` field, and codings nobody needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatter.httpd.limits import Limits


class Refusal(Exception):
    """A request that is not given to any resource.

    :param status: what is answered instead; the connection is closed then.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Head:
    """The request line and the header fields, as far as they have come.

    :ivar fields: the values of each field, by its name in lower case.
    :ivar keep_alive: whether the client wants to send another request after it.
    """

    __slots__ = (
        "_count",
        "_size",
        "body_size",
        "fields",
        "keep_alive",
        "method",
        "uri",
        "version",
    )

    def __init__(self) -> None:
        self.method = b""
        self.uri = b""
        self.version = "1.1"
        self.fields: dict[bytes, list[bytes]] = {}
        self.keep_alive = False
        self.body_size = 0
        self._size = 0
        self._count = 0

    def add_uri(self, part: bytes, limits: Limits) -> None:
        """Take a part of the target.

        :raises Refusal: if it is too long.
        """
        self.uri += part
        self._size += len(part)
        if len(self.uri) > limits.uri:
            raise Refusal(414)

    def add_field(self, name: bytes, value: bytes, limits: Limits) -> None:
        """Take a field.

        :raises Refusal: if there are too many, or they are too large.
        """
        self._count_field(name, value, limits)
        self.fields.setdefault(name.lower(), []).append(value)

    def skip_trailer(self, name: bytes, value: bytes, limits: Limits) -> None:
        """Take a field behind a chunked body, and forget it.

        :raises Refusal: if there are too many, or they are too large.
        """
        self._count_field(name, value, limits)

    def _count_field(self, name: bytes, value: bytes, limits: Limits) -> None:
        self._size += len(name) + len(value)
        self._count += 1
        if self._size > limits.head or self._count > limits.fields:
            raise Refusal(431)

    def complete(self, method: bytes, version: str, limits: Limits) -> None:
        """Take the rest, and check the whole.

        :raises Refusal: if the request is not to be read any further.
        """
        self.method = method
        self.version = version
        if version not in ("1.1", "1.0"):
            raise Refusal(505)
        fields = self.fields
        # RFC 9112, section 3.2: exactly one Host.
        hosts = fields.get(b"host")
        if hosts is None:
            if version == "1.1":
                raise Refusal(400)
        elif len(hosts) > 1:
            raise Refusal(400)
        coding = fields.get(b"transfer-encoding")
        if coding is not None:
            if version == "1.0":
                raise Refusal(400)
            if coding[0].lower() != b"chunked":
                raise Refusal(501)
        length = fields.get(b"content-length")
        if length is not None and int(length[0]) > limits.body:
            raise Refusal(413)

    def add_body(self, size: int, limits: Limits) -> None:
        """Take note of a part of the body, which may be chunked.

        :raises Refusal: if it is too large now.
        """
        self.body_size += size
        if self.body_size > limits.body:
            raise Refusal(413)

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits to be told to send the body (RFC 9110, 10.1.1)."""
        expected = self.fields.get(b"expect")
        return (
            expected is not None
            and expected[0].lower() == b"100-continue"
            and self.version == "1.1"
        )
