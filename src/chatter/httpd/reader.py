"""Bytes in, requests out: the parser of a connection, without the connection.

It stores no more than its limits allow, whatever comes: sizes are counted as parts
arrive, and what llhttp keeps to itself (a field that has not ended, the extensions
of a chunk) is bounded by how many bytes it may swallow without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httptools
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatter.httpd.head import Head

if TYPE_CHECKING:
    from chatter.httpd.limits import Limits


class RequestReader:
    """Reads one request after the other.

    :param limits: how large requests may be.

    :ivar ready: the requests that have come whole: each a head and a body.
    :ivar receiving: whether a request has begun that has not come whole.
    :ivar refusal: the status to answer what can't be read with, after the requests
        that are ready; nothing must be fed any more then.  0 as long as all is well.
    :ivar waits_for_continue: whether the client waits to be told to send the body.
    """

    __slots__ = (
        "_body",
        "_head",
        "_limits",
        "_parser",
        "_seen",
        "_unheard",
        "ready",
        "receiving",
        "refusal",
        "waits_for_continue",
    )

    _log = Logger()

    def __init__(self, limits: Limits) -> None:
        self.ready: list[tuple[Head, bytes]] = []
        self.receiving = False
        self.refusal = 0
        self.waits_for_continue = False
        self._limits = limits
        self._head: Any = None
        self._body: list[bytes] = []
        self._seen = 0
        self._unheard = 0
        self._parser: Any = httptools.HttpRequestParser(self)

    def forget(self) -> None:
        """Let go of the parser, which holds this object."""
        self._parser = None
        self.ready = []

    def feed(self, data: bytes) -> None:
        """Read some more."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse(error)
        else:
            if self.receiving:
                self._count_unheard(len(data))

    def _count_unheard(self, size: int) -> None:
        seen = self._head.size + self._head.body_size
        if seen != self._seen:
            self._seen = seen
            self._unheard = 0
            return
        self._unheard += size
        if self._unheard > self._limits.head:
            self.receiving = False
            self.refusal = 431

    def _refuse(self, error: httptools.HttpParserError) -> None:
        self.receiving = False
        if self._head is not None and self._head.refusal:
            self.refusal = self._head.refusal
        elif isinstance(error, httptools.HttpParserCallbackError):
            # What a callback raised is the error's context.
            self._log.failure("A request could not be read.", Failure(error.__context__ or error))
            self.refusal = 500
        elif isinstance(error, httptools.HttpParserInvalidMethodError):
            self.refusal = 501
        else:
            self.refusal = 400

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Go on with a request that asks for another protocol as if it had not asked.

        llhttp takes such a request to have no body, and what follows for the other
        protocol.  So a new parser reads on, that has only heard how the body comes.
        """
        head, _ = self.ready.pop()
        if head.method == b"CONNECT":
            self.refusal = 501
            return
        self._parser = httptools.HttpRequestParser(self)
        framing = [
            b"%b: %b\r\n" % (name, head.fields[name][0])
            for name in (b"content-length", b"transfer-encoding")
            if name in head.fields
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

    # What the parser tells

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.receiving = True
        self._head = Head()
        self._seen = self._unheard = 0

    # These are called so often that they call nothing themselves that they need not.

    def on_url(self, part: bytes) -> None:
        """Take a part of the target."""
        head = self._head
        head.uri = head.uri + part if head.uri else part
        head.size += len(part)
        if len(head.uri) > self._limits.uri:
            head.refuse(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field; those behind a chunked body are counted and forgotten."""
        head = self._head
        head.size += len(name) + len(value)
        head.count += 1
        if head.size > self._limits.head or head.count > self._limits.fields:
            head.refuse(431)
        if head.is_complete:
            return
        name = name.lower()
        if name in head.fields:
            head.fields[name].append(value.rstrip(b" \t"))
        else:
            head.fields[name] = [value.rstrip(b" \t")]

    def on_headers_complete(self) -> None:
        """Check the head."""
        head, parser = self._head, self._parser
        head.complete(parser.get_method(), parser.get_http_version(), self._limits)
        if b"expect" in head.fields:
            self.waits_for_continue = head.expects_continue

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self.waits_for_continue = False
        head = self._head
        head.body_size += len(part)
        if head.body_size > self._limits.body:
            head.refuse(413)
        self._body.append(part)

    def on_message_complete(self) -> None:
        """Put the request with those that are ready."""
        head, body = self._head, self._body
        head.keep_alive = self._parser.should_keep_alive()
        if body:
            self.ready.append((head, body[0] if len(body) == 1 else b"".join(body)))
            self._body = []
        else:
            self.ready.append((head, b""))
        self._head = None
        self.receiving = self.waits_for_continue = False
