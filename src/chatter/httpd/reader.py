"""Bytes in, requests out: the parser of a connection, without the connection.

It stores no more than its limits allow, whatever comes: sizes are counted as parts
arrive, and what llhttp keeps to itself (a header that has not ended, the extensions
of a chunk) is bounded by how many bytes it may swallow without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httptools
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatter.httpd.head_cache import HeadCache
from chatter.httpd.request_head import RejectedRequest, RequestHead, check_sizes

if TYPE_CHECKING:
    from chatter.httpd.limits import Limits

_NOTHING = (0, 0, 0)
"""The size of the target, the number of headers, the size of the body."""


class RequestReader:
    """Reads one request after the other.

    :param limits: how large requests may be.

    :ivar ready: the requests that have come whole: each a head and a body.
    :ivar receiving: whether a request has begun that has not come whole.
    :ivar error_status: the status of the response to what can't be read, after the requests
        that are ready; nothing must be fed any more then.  0 as long as all is well.
    :ivar body_size: how many bytes of a body have come whose request has not come whole.
    :ivar waits_for_continue: whether the client sends the body only after ``100 Continue``.
    """

    __slots__ = (
        "_body",
        "_head",
        "_headers",
        "_limits",
        "_parser",
        "_repeated",
        "_seen",
        "_unheard",
        "_uri",
        "body_size",
        "error_status",
        "ready",
        "receiving",
        "waits_for_continue",
    )

    _log = Logger()

    def __init__(self, limits: Limits) -> None:
        self.ready: list[tuple[RequestHead, bytes]] = []
        self.receiving = False
        self.error_status = 0
        self.waits_for_continue = False
        self._limits = limits
        self._uri = b""
        # Those of the head, and after it those behind a chunked body.
        self._headers: list[tuple[bytes, bytes]] = []
        self._head: RequestHead | None = None
        self._body: list[bytes] = []
        self.body_size = 0
        self._seen = _NOTHING
        self._unheard = 0
        self._parser: Any = httptools.HttpRequestParser(self)
        self._repeated = HeadCache(limits)

    def forget(self) -> None:
        """Let go of the parser, which holds this object."""
        self._parser = None
        self.ready = []
        self.drop_body()

    def drop_body(self) -> None:
        """Let go of what has come of a body; nothing must be fed any more."""
        self._body = []
        self.body_size = 0

    def read_known(self, data: bytes) -> tuple[RequestHead, bytes] | None:
        """A whole request that need not be parsed, if that is just what has come.

        It is for a connection with nothing else to process; if it returns ``None``, feed the data.
        """
        return None if self.receiving else self._repeated.read(data)

    def headers(self) -> dict[bytes, list[bytes]]:
        """The headers of the request that is being read, as far as they have come."""
        if self._head is not None:
            return self._head.headers
        headers: dict[bytes, list[bytes]] = {}
        for name, value in self._headers:
            headers.setdefault(name.lower(), []).append(value)
        return headers

    def feed(self, data: bytes) -> None:
        """Read some more."""
        begins_request = not self.receiving
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._reject(error)
        else:
            if self.receiving:
                self._bound(len(data))
            elif begins_request and len(self.ready) == 1:
                self._repeated.learn(data, *self.ready[0])

    def _bound(self, size: int) -> None:
        """See that what is kept of a request that has not come whole is not too large.

        It may come in single bytes, so nothing is measured again that was measured before.
        """
        seen = self._seen
        heard = self._seen = (len(self._uri), len(self._headers), self.body_size)
        if heard == seen:
            self._unheard += size
            if self._unheard > self._limits.head:
                self._stop(431)
            return
        self._unheard = 0
        if heard[:2] == seen[:2]:
            return
        try:
            self._check_headers()
        except RejectedRequest as rejected:
            self._stop(rejected.status)

    def _check_trailers(self) -> None:
        try:
            self._check_headers()
        except RejectedRequest as rejected:
            self.error_status = rejected.status
            raise

    def _check_headers(self) -> None:
        """See that the headers are not too large, or too many, trailing ones included.

        :raises RejectedRequest: if they are.
        """
        headers = self._headers
        if self._head is not None:
            of_head = self._head.headers.items()
            headers = [(name, value) for name, values in of_head for value in values]
            headers += self._headers
        check_sizes(self._uri, headers, self._limits)

    def _stop(self, status: int) -> None:
        self.receiving = False
        self.error_status = status

    def _reject(self, error: httptools.HttpParserError) -> None:
        if self.error_status:
            # A callback has said why.
            self.receiving = False
        elif isinstance(error, httptools.HttpParserCallbackError):
            # What a callback raised is the error's context.
            self._log.failure("A request could not be read.", Failure(error.__context__ or error))
            self._stop(500)
        elif isinstance(error, httptools.HttpParserInvalidMethodError):
            self._stop(501)
        else:
            self._stop(400)

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Go on with a request for another protocol as if it were none.

        llhttp takes such a request to have no body, and what follows for the other
        protocol.  So a new parser reads on, that has only heard how the body comes.
        """
        head, _ = self.ready.pop()
        if head.method == b"CONNECT":
            self.error_status = 501
            return
        self._parser = httptools.HttpRequestParser(self)
        framing = [
            b"%b: %b\r\n" % (name, head.headers[name][0])
            for name in (b"content-length", b"transfer-encoding")
            if name in head.headers
        ]
        if framing:
            close = b"" if head.keep_alive else b"Connection: close\r\n"
            start = b"POST / HTTP/1.1\r\nHost: x\r\n%b%b\r\n" % (b"".join(framing), close)
            self._parser.feed_data(start)
            if self.receiving:
                self._head = head
            else:
                self.ready[-1] = (head, b"")
        else:
            self.ready.append((head, b""))
        if rest and (self.receiving or head.keep_alive):
            self.feed(rest)

    # Callbacks of the parser

    # These are called so often that they call nothing themselves that they need not.

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.receiving = True
        self._uri = b""
        self._headers = []
        self._head = None
        self._seen = _NOTHING
        self._unheard = 0

    def on_url(self, part: bytes) -> None:
        """Take a part of the target."""
        self._uri += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Make the head of what has come."""
        method, version = self._parser.get_method(), self._parser.get_http_version()
        try:
            head = self._head = RequestHead(method, self._uri, version, self._headers, self._limits)
        except RejectedRequest as rejected:
            self.error_status = rejected.status
            raise
        self._headers = []
        if b"expect" in head.headers:
            self.waits_for_continue = head.expects_continue

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self.waits_for_continue = False
        self.body_size += len(part)
        if self.body_size > self._limits.body:
            self.error_status = 413
            raise RejectedRequest(413)
        self._body.append(part)

    def on_message_complete(self) -> None:
        """Put the request with those that are ready."""
        head, parts = self._head, self._body
        assert head is not None
        if self._headers:
            self._check_trailers()
        head.keep_alive = self._parser.should_keep_alive()
        body = b""
        if parts:
            body = parts[0] if len(parts) == 1 else b"".join(parts)
            self._body = []
            self.body_size = 0
        self._head = None
        self.ready.append((head, body))
        self.receiving = self.waits_for_continue = False
