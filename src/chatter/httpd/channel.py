"""One connection: its requests are processed one after the other, in their order.

A request that arrives while another one is processed waits.  What waits is bounded: bytes
are parsed a slice at a time, and only while nothing waits and nothing is left to be sent; a
client that goes on sending is not read.  A connection that has much to do goes on in later
turns of the reactor (see the module ``turns``).
"""

from __future__ import annotations

from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol
from twisted.logger import Logger
from zope.interface import implementer

from chatter.httpd.closing import ClosingConnection
from chatter.httpd.keepalive import notice_lost_peer
from chatter.httpd.output import SocketOutput, output_for
from chatter.httpd.request import LeanRequest
from chatter.httpd.stream import Stream

if TYPE_CHECKING:
    from twisted.web.server import Site

    from chatter.httpd.connections import Connections
    from chatter.httpd.stream import StreamOwner

_SLICE = 4096


@implementer(IProtocol, IHalfCloseableProtocol)
class LeanChannel(ClosingConnection):
    """A connection to a site."""

    __slots__ = ("factory",)

    _log = Logger()

    def __init__(self, site: Site, connections: Connections) -> None:
        super().__init__(site, connections)
        self.factory = site

    def makeConnection(self, transport: Any) -> None:
        """Begin."""
        self.transport = transport
        if hasattr(transport, "setTcpNoDelay"):
            transport.setTcpNoDelay(True)
        notice_lost_peer(transport, self.connections.limits.stall)
        self.write_to(output_for(transport, self, self.connections.outbox))
        self.connections.open.add(self)
        self._set_deadline()

    def connectionMade(self) -> None:
        """Begin; :meth:`makeConnection` has done it."""

    # Bytes in, requests out, in order

    def dataReceived(self, data: bytes) -> None:
        """Take what the client sent."""
        if self._closing:
            return
        if self._request is not None or self._unparsed or self._running or self.output.paused:
            self._unparsed += data
        else:
            request = self._reader.read_known(data)
            if request is not None:
                self._parsed_ahead = False
                self._process(*request)
                return
            self._unparsed = data
            self._go_on()
        if len(self._unparsed) > _SLICE and not self._paused_reading:
            self._paused_reading = True
            self.transport.pauseProducing()
            self.connections.note_held(len(self._unparsed))

    def take_turn(self) -> None:
        """Go on with the requests that had to wait for a later turn of the reactor."""
        self._running = False
        if not self._closing:
            self._go_on()

    def _go_on(self) -> None:
        """Process the requests that are here, until one has to be waited for or time is up."""
        self._running = True
        must_wait = False
        try:
            must_wait = self._process_some()
        finally:
            self._running = must_wait
        if must_wait:
            self.connections.turns.add(self)
        if not (self._unparsed or self._closing):
            self._resume_reading()
            self._close_if_done()

    def _process_some(self) -> bool:
        """Process requests.

        :returns: whether this connection has had its time in this turn, and more to do.
        """
        reader, output = self._reader, self.output
        processed, until = 0, 0.0
        while self._request is None and not (self._closing or output.paused):
            if not reader.ready:
                if reader.error_status:
                    self._reject(reader.error_status)
                    break
                if reader.waits_for_continue:
                    reader.waits_for_continue = False
                    output.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                    continue
                if not self._unparsed:
                    break
                self._read()
            if reader.ready:
                if processed == 1:
                    until = self.connections.turns.until()
                if processed and monotonic() >= until:
                    return True
                self._process(*reader.ready.pop(0))
                processed += 1
        return False

    def _read(self) -> None:
        data, reader = self._unparsed, self._reader
        if len(data) > _SLICE:
            data, self._unparsed = data[:_SLICE], data[_SLICE:]
        else:
            self._unparsed = b""
        receiving = reader.receiving
        self._parsed_ahead = True
        reader.feed(data)
        if reader.receiving:
            self.connections.note_held(len(data))
            if not receiving:
                self._set_deadline()

    def _process(self, head: Any, body: bytes) -> None:
        if self.connections.draining or not head.keep_alive:
            self.persistent = False
        self.deadline = inf
        try:
            self._request = request = LeanRequest(self, head, body)
            request.process()
        except Exception:  # noqa: BLE001 - it must not reach who happens to be on the stack
            self._log.failure("A request could not be processed.")
            self.abort()

    def request_done(self) -> None:
        """Go on with the next request, now that one has its response; close if none may follow."""
        self._request = None
        if not (self.persistent or self._closing):
            self._close()
        if self._closing or self.output.paused or self._reader.receiving:
            self._set_deadline()
        else:
            self.deadline = self.connections.idle_until
        if (self._unparsed or self._parsed_ahead) and not self._running:
            self._go_on()

    def stream_for(self, owner: StreamOwner) -> Stream | None:
        """What can take this channel's place, where the transport is a plain socket."""
        if not isinstance(self.output, SocketOutput):
            return None
        return Stream(self.connections, self.transport, self.output, owner)

    def become(self, stream: Stream) -> None:
        """Let a stream take this channel's place, for good."""
        self._request = None
        self._closing = True
        self._unparsed = b""
        self._reader.forget()
        self.connections.open.discard(self)
        self.connections.open.add(stream)
        self.output.owner = stream
        self.transport.protocol = stream
        if self.output.paused:
            stream.output_paused()
        self._resume_reading()
        if self.connections.draining or self.client_has_ended:
            stream.close()

    def output_resumed(self) -> None:
        """Let the producer of the response go on, and then the next request."""
        self._set_deadline()
        self.resume_producer()
        if not self._running:
            self._go_on()
