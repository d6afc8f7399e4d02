"""The request that a resource sees: all of ``twisted.web.server.Request``, lazily.

What most requests never touch (the ``Headers`` objects, cookies, sessions, forms)
is made when it is touched.  An answer's head and the first part of its body leave
in one write.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from twisted.python.components import Componentized
from twisted.python.failure import Failure
from twisted.web.http import NO_BODY_CODES, NO_CONTENT, NOT_MODIFIED, datetimeToString, parse_qs
from twisted.web.http_headers import Headers
from twisted.web.resource import EncodingResourceWrapper
from twisted.web.server import Request

if TYPE_CHECKING:
    from chatter.httpd.channel import LeanChannel
    from chatter.httpd.head import Head
    from chatter.httpd.stream import Stream, StreamOwner
_USUAL_NAMES = {
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
"""The fields that answers usually have, by two spellings."""


class LeanRequest(Request):
    """A request that has arrived whole.

    :param channel: the connection.
    :param head: its request line and fields.
    :param body: its body.
    """

    channel: Any

    def __init__(self, channel: LeanChannel, head: Head, body: bytes) -> None:
        # Twisted's own constructor makes two Headers objects and asks the transport
        # for its addresses, for each request.  A test compares the attributes.
        Componentized.__init__(self)
        self.notifications = []
        self.channel = channel
        self.client = channel.getPeer()
        self.host = channel.getHost()
        self.transport = channel.transport
        self.received_cookies = {}
        self.cookies = []
        self.queued = False
        self._fields = head.fields
        self._request_headers: Headers | None = None
        self._response_headers: Headers | None = None
        self._set: dict[bytes, bytes] = {}
        self._gone = False
        self._bodiless = False
        self._encoder_in_use: Any = None
        self.content = BytesIO(body)
        self.method = head.method
        self.uri = head.uri
        self.clientproto = b"HTTP/" + head.version.encode()
        self.path, mark, query = head.uri.partition(b"?")
        self.args = parse_qs(query, True) if mark else {}

    # What came

    @property
    def requestHeaders(self) -> Headers:  # type: ignore[override]
        """The fields of the request, made an object when it is asked for."""
        headers = self._request_headers
        if headers is None:
            headers = self._request_headers = Headers()
            for name, values in self._fields.items():
                headers.setRawHeaders(name, values)
        return headers

    def getHeader(self, key: Any) -> Any:
        """The last value of a field of the request."""
        if self._request_headers is None and isinstance(key, bytes):
            values = self._fields.get(key.lower())
            return None if values is None else values[-1]
        return super().getHeader(key)

    # Finding the resource

    def process(self) -> None:
        """Find the resource, and have it answer."""
        assert self.channel is not None
        self.site = self.channel.site
        self.prepath = []
        path = self.path[1:]
        if b"%" in path:
            self.postpath = [unquote_to_bytes(segment) for segment in path.split(b"/")]
        else:
            self.postpath = path.split(b"/")
        try:
            if self.path == b"*":
                self._answer_star()
                return
            resource = self.site.getResourceFor(self)
            if isinstance(resource, EncodingResourceWrapper):
                self._encoder_in_use = resource.getEncoder(self)
            self.render(resource)
        except BaseException:  # noqa: BLE001 - as Twisted: whatever it is, the client gets a 500
            self.processingFailed(Failure())

    def _answer_star(self) -> None:
        """Answer for the server as a whole, which knows ``OPTIONS`` only."""
        if self.method == b"OPTIONS":
            self.setResponseCode(NO_CONTENT)
        else:
            self.setResponseCode(405)
            self.setHeader(b"Allow", b"OPTIONS")
            self.setHeader(b"Content-Length", b"0")
        self.finish()

    # The answer's head

    @property
    def responseHeaders(self) -> Headers:  # type: ignore[override]
        """The fields of the answer, made an object when it is asked for."""
        headers = self._response_headers
        if headers is None:
            headers = self._response_headers = Headers()
            for name, value in self._set.items():
                headers.setRawHeaders(name, [value])
            self._set = {}
        return headers

    def setHeader(self, name: Any, value: Any) -> None:
        """Set a field of the answer."""
        usual_name = _USUAL_NAMES.get(name)
        if (
            usual_name is not None
            and self._response_headers is None
            and type(value) is bytes
            and b"\r" not in value
            and b"\n" not in value
        ):
            self._set[usual_name] = value
        else:
            # What is not plain is cleaned by Twisted.
            self.responseHeaders.setRawHeaders(name, [value])

    # The answer

    def write(self, data: bytes) -> None:
        """Send a part of the body, after the head if it is the first."""
        if self.finished:
            raise RuntimeError("Request.write called on a request after Request.finish was called.")
        # As long as Twisted asks a resource for a HEAD request's GET answer, it
        # wants to see nothing of it (tried with Twisted 26.10).
        if self._gone or getattr(self, "_inFakeHead", False):
            return
        if self._encoder_in_use is not None:
            data = self._encoder_in_use.encode(data)
        self._write(data)

    def _write(self, data: bytes) -> None:
        assert self.channel is not None
        if self.startedWriting:
            if data and not self._bodiless:
                self.sentLength += len(data)
                self.channel.write(self._framed(data))
            return
        self.startedWriting = 1
        head = self._head()
        if self._bodiless or not data:
            self.channel.write(head)
        else:
            self.sentLength = len(data)
            self.channel.write(head + self._framed(data))

    def _framed(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data

    def _head(self) -> bytes:
        assert self.channel is not None
        fields = self._all_fields()
        self._bodiless = self.method == b"HEAD" or self.code in NO_BODY_CODES
        has_length = b"Content-Length" in fields
        if not has_length and not self._bodiless:
            if self.clientproto == b"HTTP/1.1":
                self.chunked = 1
                fields[b"Transfer-Encoding"] = b"chunked"
            else:
                self.channel.close_after_answer()
        if (
            b"Content-Type" not in fields
            and self.defaultContentType is not None
            and self.code not in (NOT_MODIFIED, NO_CONTENT)
            and fields.get(b"Content-Length") != b"0"
        ):
            fields[b"Content-Type"] = self.defaultContentType
        if fields.get(b"Connection", b"").lower() == b"close":
            self.channel.close_after_answer()
        elif not self.channel.persistent:
            fields[b"Connection"] = b"close"
        elif self.clientproto == b"HTTP/1.0":
            fields[b"Connection"] = b"keep-alive"
        lines = [b"%b: %b\r\n" % field for field in fields.items()]
        for name, values in self._repeated:
            lines += [b"%b: %b\r\n" % (name, value) for value in values]
        start = self.channel.site.status_line(self.code, self.code_message)
        return b"%b%b\r\n" % (start, b"".join(lines))

    def _all_fields(self) -> dict[bytes, bytes]:
        """The fields that stand once; those that stand more often are set aside."""
        if self.lastModified is not None:
            self.setHeader(b"Last-Modified", datetimeToString(self.lastModified))
        if self.etag is not None:
            self.setHeader(b"ETag", self.etag)
        self._repeated: list[tuple[bytes, list[bytes]]] = []
        if self.cookies:
            self._repeated.append((b"Set-Cookie", self.cookies))
        if self._response_headers is None:
            return self._set
        fields = {}
        for name, values in self._response_headers.getAllRawHeaders():
            if len(values) == 1:
                fields[name] = values[0]
            else:
                self._repeated.append((name, list(values)))
        return fields

    def finish(self) -> None:
        """End the answer."""
        if self._gone:
            raise RuntimeError(
                "Request.finish called on a request after its connection was lost; "
                "use Request.notifyFinish to keep track of this."
            )
        if self.finished:
            return
        assert self.channel is not None
        if self._encoder_in_use is not None:
            rest = self._encoder_in_use.finish()
            if rest:
                self._write(rest)
        if not self.startedWriting:
            if self.code not in NO_BODY_CODES and self.method != b"HEAD":
                self.setHeader(b"Content-Length", b"0")
            self._write(b"")
        if self.chunked and not self._bodiless:
            self.channel.write(b"0\r\n\r\n")
        self.finished = 1
        channel, self.channel = self.channel, None
        channel.site.log(self)
        channel.request_done()
        notifications, self.notifications = self.notifications, []
        for notification in notifications:
            notification.callback(None)

    def begin_stream(self, owner: StreamOwner) -> Stream | None:
        """Send the head of an answer that ends with its connection, and let go of it.

        :returns: what to write it to; ``None`` if this transport can't, so that it
            has to be written like any other answer.
        """
        stream: Stream | None = self.channel.stream_for(owner)
        if stream is None:
            return None
        self.channel.close_after_answer()
        self.setHeader(b"Connection", b"close")
        # Without this field the end of the connection is the end of the answer.
        self.clientproto, proto = b"HTTP/1.0", self.clientproto
        self._write(b"")
        self.clientproto = proto
        self.finished = 1
        channel, self.channel = self.channel, None
        channel.site.log(self)
        channel.become(stream)
        return stream

    def connectionLost(self, reason: Failure) -> None:
        """Tell who waits for the end that there is nobody to answer any more."""
        self._gone = True
        super().connectionLost(reason)
