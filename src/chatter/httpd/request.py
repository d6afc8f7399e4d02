"""The request that a resource sees: all of ``twisted.web.server.Request``, lazily.

What most requests never touch (the ``Headers`` objects, cookies, sessions, forms)
is made when it is touched.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from twisted.python.failure import Failure
from twisted.web.http import parse_qs
from twisted.web.http_headers import Headers
from twisted.web.resource import EncodingResourceWrapper

from chatter.httpd.lazy import lazy
from chatter.httpd.response_writer import ResponseWriter

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from chatter.httpd.producers import ResponseConsumer
    from chatter.httpd.request_head import RequestHead


class LeanRequest(ResponseWriter):
    """A request that has arrived whole.

    Beside all that ``twisted.web.server.Request`` has, a resource finds here
    ``respond``, ``begin_stream``, ``notify_over``, ``whole_body`` and ``request_head``.

    :param channel: the connection.
    :param head: its request line and headers.
    :param body: its body.

    :ivar request_head: its request line and headers.  What a resource keeps in its ``note``
        is there again when the client sends the very same head again.
    :ivar whole_body: its body.
    :ivar headers_may_differ: whether the headers have been made an object, in which somebody
        may have changed what the client has sent.
    :ivar args_may_differ: the same of the parameters.
    :ivar ends_at_half_close: whether a client that closed its sending side counts as gone.
    """

    # What most requests never change is the class's, and costs them nothing.
    queued = False
    headers_may_differ = False
    args_may_differ = False
    ends_at_half_close = False
    _request_headers: Headers | None = None
    _received_cookies: dict[bytes, bytes] | None = None
    _content: BytesIO | None = None

    def __init__(self, channel: ResponseConsumer, head: RequestHead, body: bytes) -> None:
        # Twisted's own constructor makes two Headers objects and asks the transport
        # for its addresses, for each request.  A test compares the attributes.
        self._adapterCache: dict[str, object] = {}  # what Componentized makes
        self.notifications = []
        self.channel = channel
        self.client, self.host = channel.addresses or channel.learn_addresses()
        self.transport = channel.transport
        self.request_head = head
        self.whole_body = body
        self.method = head.method
        self.prepath = []
        self.postpath = head.segments[:]
        if head.is_special:
            self._is_special = True
            # Kept, for Twisted changes the method while it fakes a response.
            self._is_head = head.method == b"HEAD"

    # What came

    @lazy
    def uri(self) -> bytes:
        """The target, as it came."""
        return self.request_head.uri

    @lazy
    def path(self) -> bytes:
        """The path of the target."""
        return self.request_head.path

    @lazy
    def clientproto(self) -> bytes:
        """The version of HTTP that the client speaks."""
        return self.request_head.protocol

    @lazy
    def args(self) -> dict[bytes, list[bytes]]:
        """The parameters of the query, parsed when they are needed."""
        self.args_may_differ = True
        query = self.request_head.query
        return {} if query is None else parse_qs(query, True)

    @property
    def content(self) -> BytesIO:  # type: ignore[override]
        """The body, made a file when it is needed."""
        if self._content is None:
            self._content = BytesIO(self.whole_body)
        return self._content

    @property
    def requestHeaders(self) -> Headers:  # type: ignore[override]
        """The headers of the request, made an object when it is needed."""
        headers = self._request_headers
        if headers is None:
            headers = self._request_headers = Headers()
            self.headers_may_differ = True
            for name, values in self.request_head.headers.items():
                headers.setRawHeaders(name, values)
            if self.request_head.leaves_length_out:
                headers.setRawHeaders(b"content-length", [b"%d" % len(self.whole_body)])
        return headers

    def getHeader(self, key: Any) -> Any:
        """The last value of a header of the request."""
        if self._request_headers is not None or type(key) is not bytes:
            return super().getHeader(key)
        head = self.request_head
        values = head.headers.get(key)
        if values is None:
            name = key.lower()
            values = head.headers.get(name)
            if values is None:
                if name == b"content-length" and head.leaves_length_out:
                    return b"%d" % len(self.whole_body)
                return None
        return values[-1]

    @property
    def received_cookies(self) -> dict[bytes, bytes]:  # type: ignore[override]
        """The cookies of the request, parsed when they are needed."""
        if self._received_cookies is None:
            self._received_cookies = {}
            self.parseCookies()
        return self._received_cookies

    def notifyFinish(self) -> Deferred[None]:
        """A Deferred that fires when the response was sent, or fails when the client is gone.

        To a resource that wants to know, a client that closed its sending side is gone: what
        waits for something new would wait in vain.  Other requests get their response.
        """
        finished = super().notifyFinish()
        self.ends_at_half_close = True
        if self.channel is not None and self.channel.client_has_ended:
            self.channel.loseConnection()
        return finished

    def notify_over(self) -> Deferred[None]:
        """As :meth:`notifyFinish`, but a client that closed its sending side is not gone."""
        return super().notifyFinish()

    # Finding the resource

    def process(self) -> None:
        """Find the resource, and have it respond."""
        self.site = self.channel.site
        try:
            if self._is_special and self.request_head.path == b"*":
                self._respond_to_asterisk()
                return
            resource = self.site.getResourceFor(self)
            if isinstance(resource, EncodingResourceWrapper):
                self._encoder_in_use = resource.getEncoder(self)
                self._is_special = True
            self.render(resource)
        except BaseException:  # noqa: BLE001 - as Twisted: whatever it is, the client gets a 500
            self.processingFailed(Failure())

    def processingFailed(self, reason: Failure) -> Failure:
        """Log what went wrong, and respond with 500, or cut off a response that has begun."""
        if not self.startedWriting:
            super().processingFailed(reason)
        else:
            self._log.failure("A response that had begun failed.", reason)
            if self.channel is not None:
                self.channel.abort()
        return reason

    def _respond_to_asterisk(self) -> None:
        """Respond for the server as a whole, which knows ``OPTIONS`` only."""
        if self.method != b"OPTIONS":
            self.setResponseCode(405)
            self.setHeader(b"Allow", b"OPTIONS")
        self.finish()
