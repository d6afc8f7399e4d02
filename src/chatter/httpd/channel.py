"""One connection: bytes come in, and requests are answered, one after the other.

The order is the protocol's: a request that arrives while another is answered waits.
What waits is bounded: bytes are parsed a slice at a time, and only while nothing
waits; a connection whose client goes on sending is not read.

Time is bounded too, without a timer for each request or connection: a connection
has a deadline, and its site looks once a second whose has passed.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import TYPE_CHECKING, Any

import httptools
from twisted.internet.interfaces import IProtocol, ISSLTransport
from zope.interface import implementer

from chatter.httpd.head import Head, Refusal
from chatter.httpd.output import SocketOutput, output_for
from chatter.httpd.producers import RepeatedPull
from chatter.httpd.request import LeanRequest
from chatter.httpd.stream import Stream

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress
    from twisted.python.failure import Failure

    from chatter.httpd.site import LeanSite
    from chatter.httpd.stream import StreamOwner

_SLICE = 4096


@implementer(IProtocol)
class LeanChannel:
    """A connection to a site.

    :ivar deadline: when the site is to call :meth:`time_out`.
    :ivar persistent: whether another request may follow.
    """

    def __init__(self, site: LeanSite) -> None:
        self.site = site
        self.factory = site
        self.persistent = True
        self.deadline = inf
        self.transport: Any = None
        self._parser = httptools.HttpRequestParser(self)
        self._head = Head()
        self._body: list[bytes] = []
        self._in_trailers = False
        self._receiving = False
        self._unparsed = b""
        self._ready: deque[tuple[Head, bytes]] = deque()
        self._request: LeanRequest | None = None
        self._producer: Any = None
        self._refusal: Refusal | None = None
        self._closing = False
        self._running = False
        self._paused_reading = False

    # The connection

    def makeConnection(self, transport: Any) -> None:
        """Begin."""
        self.transport = transport
        if hasattr(transport, "setTcpNoDelay"):
            transport.setTcpNoDelay(True)
        self._output = output_for(transport, self)
        self._peer = transport.getPeer()
        self._host = transport.getHost()
        self.deadline = self.site.now + self.site.limits.idle
        self.site.connections.add(self)

    def connectionMade(self) -> None:
        """Begin; :meth:`makeConnection` has done it."""

    def connectionLost(self, reason: Failure) -> None:
        """End."""
        self.site.connection_lost(self)
        self.deadline = inf
        self._closing = True
        self._ready.clear()
        request, self._request = self._request, None
        if request is not None:
            request.connectionLost(reason)
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.stopProducing()

    def getPeer(self) -> IAddress:
        """The client's address."""
        return self._peer  # type: ignore[no-any-return]

    def getHost(self) -> IAddress:
        """The server's address."""
        return self._host  # type: ignore[no-any-return]

    def isSecure(self) -> bool:
        """Whether the connection is encrypted."""
        return ISSLTransport.providedBy(self.transport)

    # Bytes in

    def dataReceived(self, data: bytes) -> None:
        """Take what the client sent."""
        if self._closing:
            return
        if self._unparsed or self._ready or self._request is not None:
            self._unparsed += data
            if len(self._unparsed) > _SLICE and not self._paused_reading:
                self._paused_reading = True
                self.transport.pauseProducing()
            return
        if len(data) > _SLICE:
            self._unparsed = data
            self._go_on()
        else:
            self._parse(data)
            if self._ready or self._refusal is not None:
                self._go_on()

    def _parse(self, data: bytes) -> None:
        if not self._receiving:
            self._receiving = True
            self.deadline = self.site.now + self.site.limits.receive
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nothing else is spoken here: the request is answered as if it had not
            # asked, and is the last one.
            if self._head.method == b"CONNECT":
                self._ready.pop()
                self._refusal = Refusal(501)
            else:
                self._head.keep_alive = False
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refusal = cause if isinstance(cause, Refusal) else Refusal(400)
            self._receiving = False

    def on_message_begin(self) -> None:
        """Begin a request (a callback of the parser, like those below)."""
        self._receiving = True
        self._head = Head()
        self._body = []
        self._in_trailers = False

    def on_url(self, part: bytes) -> None:
        """Take a part of the target."""
        self._head.add_uri(part, self.site.limits)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field; those behind a chunked body are read and forgotten."""
        if self._in_trailers:
            self._head.skip_trailer(name, value, self.site.limits)
        else:
            self._head.add_field(name, value, self.site.limits)

    def on_headers_complete(self) -> None:
        """Check the head, and tell a client that waits to go on."""
        head, parser = self._head, self._parser
        head.complete(parser.get_method(), parser.get_http_version(), self.site.limits)
        self._in_trailers = True
        if head.expects_continue and self._request is None and not self._ready:
            self._output.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self._head.add_body(len(part), self.site.limits)
        self._body.append(part)

    def on_message_complete(self) -> None:
        """Have the request answered, when its turn comes."""
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._head.keep_alive = self._parser.should_keep_alive()
        self._ready.append((self._head, body))
        self._body = []
        self._receiving = False

    # Requests out, in order

    def _go_on(self) -> None:
        """Answer what is ready, and parse what is not, as long as nobody is waited for."""
        if self._running:
            return
        self._running = True
        while not self._closing and self._request is None:
            if self._ready:
                self._answer_next()
            elif not self.persistent:
                self._close()
            elif self._refusal is not None:
                self._refuse(self._refusal)
            elif self._unparsed:
                data, self._unparsed = self._unparsed[:_SLICE], self._unparsed[_SLICE:]
                self._parse(data)
            else:
                break
        self._running = False
        if self._paused_reading and not self._unparsed and not self._closing:
            self._paused_reading = False
            self.transport.resumeProducing()

    def _answer_next(self) -> None:
        head, body = self._ready.popleft()
        if not head.keep_alive or self.site.draining:
            self.persistent = False
            self._ready.clear()
        self.deadline = inf
        self._request = request = LeanRequest(self, head, body)
        request.process()

    def request_done(self) -> None:
        """Go on with the next request, now that one is answered."""
        self._request = None
        self._set_deadline()
        if self._ready or self._unparsed or self._refusal is not None or not self.persistent:
            self._go_on()

    def stream_for(self, owner: StreamOwner) -> Stream | None:
        """What can take this channel's place, where the transport is a plain socket."""
        if not isinstance(self._output, SocketOutput):
            return None
        return Stream(self.site, self.transport, self._output, owner)

    def become(self, stream: Stream) -> None:
        """Let a stream take this channel's place, for good."""
        self._request = None
        self._closing = True
        self._ready.clear()
        self._unparsed = b""
        self.site.connections.discard(self)
        self.site.connections.add(stream)
        self._output.owner = stream
        self.transport.protocol = stream
        if self._paused_reading:
            self.transport.resumeProducing()

    def close_after_answer(self) -> None:
        """Let no request follow the one under way."""
        self.persistent = False

    def drain(self) -> None:
        """Close once the request under way has been answered, now if there is none."""
        if self._request is None and not self._ready and not self._receiving:
            self._close()

    def _close(self) -> None:
        self._closing = True
        self.transport.loseConnection()

    def loseConnection(self) -> None:
        """Close, as a request may ask for."""
        self._close()

    def _refuse(self, refusal: Refusal) -> None:
        """Answer what no resource sees, and close once the client can have read it.

        Closing at once would reset the connection under a client that still sends,
        and the answer would be lost with it.
        """
        self._output.write(self.site.refused(refusal.status))
        self._closing = True
        self._unparsed = b""
        self.deadline = self.site.now + self.site.limits.linger
        if hasattr(self.transport, "loseWriteConnection") and not self.isSecure():
            self.transport.loseWriteConnection()
        else:
            self.transport.loseConnection()

    # Time

    def _set_deadline(self) -> None:
        """Give the client the time that is due to it in what it does now."""
        limits = self.site.limits
        if self._output.paused:
            self.deadline = self.site.now + limits.stall
        elif self._request is not None:
            self.deadline = inf
        else:
            self.deadline = self.site.now + (limits.receive if self._receiving else limits.idle)

    def time_out(self) -> None:
        """Act upon a deadline that has passed."""
        self.deadline = inf
        if self._receiving and not self._closing:
            self._receiving = False
            self._refusal = Refusal(408)
            self._go_on()
        elif self._closing or self._output.paused:
            self.transport.abortConnection()
        else:
            self._close()
            self.deadline = self.site.now + self.site.limits.linger

    # Bytes out

    def write(self, data: bytes) -> None:
        """Send a part of the answer under way."""
        self._output.write(data)

    def writeSequence(self, parts: list[bytes]) -> None:
        """Send parts of the answer under way."""
        self._output.write(b"".join(parts))

    def output_paused(self) -> None:
        """Hold who produces the answer."""
        self._set_deadline()
        if self._producer is not None:
            self._producer.pauseProducing()

    def output_progressed(self) -> None:
        """Give the client more time."""
        if not self._closing:
            self._set_deadline()

    def output_resumed(self) -> None:
        """Let who produces the answer go on."""
        if not self._closing:
            self._set_deadline()
        if self._producer is not None:
            self._producer.resumeProducing()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Have a request's producer paused and resumed; at once if that is due.

        :raises RuntimeError: if there is one already.
        """
        if self._producer is not None:
            raise RuntimeError("A producer is registered already.")
        self._producer = producer if streaming else RepeatedPull(producer, self.site.reactor)
        if self._output.paused:
            self._producer.pauseProducing()
        elif not streaming:
            self._producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """Let a request's producer be."""
        producer, self._producer = self._producer, None
        if isinstance(producer, RepeatedPull):
            producer.pauseProducing()
