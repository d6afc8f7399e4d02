"""How a connection ends: after its last response, at a deadline, or when the client ends it.

There is no timer for a request or a connection: a connection has a deadline, and its site
looks once a second whose deadline has passed.

A client may close its sending side and still read (half-close).  The requests that came
whole get their responses; then the connection is closed.  Only a request whose resource
wants to know of the client's end (``notifyFinish``), such as a long poll, ends with it.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from twisted.internet.interfaces import ISSLTransport

from chatter.httpd.producers import ResponseConsumer
from chatter.httpd.reader import RequestReader

if TYPE_CHECKING:
    from twisted.python.failure import Failure
    from twisted.web.server import Site

    from chatter.httpd.connections import Connections
    from chatter.httpd.request import LeanRequest


class ClosingConnection(ResponseConsumer):
    """A connection as far as it ends.

    :ivar deadline: when :meth:`time_out` is to be called.
    :ivar client_has_ended: whether nothing more will come from the client.
    """

    __slots__ = (
        "_closing",
        "_parsed_ahead",
        "_paused_reading",
        "_reader",
        "_request",
        "_running",
        "_unparsed",
        "client_has_ended",
        "deadline",
    )

    def __init__(self, site: Site, connections: Connections) -> None:
        super().__init__(site, connections)
        self.deadline = inf
        self.client_has_ended = False
        self._reader = RequestReader(connections.limits)
        self._unparsed = b""
        self._request: LeanRequest | None = None
        self._closing = False
        # Whether requests are being processed, or have their turn later.
        self._running = False
        self._paused_reading = False
        # Whether the parser may have more than the request under way.
        self._parsed_ahead = False

    @property
    def held(self) -> int:
        """How many bytes are left to be sent, or have come and can't be processed yet."""
        return self.output.waiting + self._reader.body_size + len(self._unparsed)

    def relieve(self) -> None:
        """End: too much is held for all connections together."""
        if self._reader.receiving and not (self._closing or self.output.paused):
            self._reader.receiving = False
            self._reject(503)
        else:
            self.abort()

    def isSecure(self) -> bool:
        """Whether the connection is encrypted."""
        return ISSLTransport.providedBy(self.transport)

    # By the server

    def close_after_response(self) -> None:
        """Let no request follow the one under way."""
        self.persistent = False

    def drain(self) -> None:
        """Close once the request under way has its response, now if there is none."""
        reader = self._reader
        if self._request is not None:
            self.persistent = False
        elif not (self._closing or reader.ready or reader.receiving):
            self._close()

    def loseConnection(self) -> None:
        """Close, as a request may use."""
        self._close()

    def abort(self) -> None:
        """Cut the connection off, whatever is left to be sent."""
        self._closing = True
        self._unparsed = b""
        self._reader.drop_body()
        self.transport.abortConnection()

    def _close(self) -> None:
        self._closing = True
        self._unparsed = b""
        self._set_deadline()
        self.output.close()

    def _reject(self, status: int) -> None:
        """Respond to what no resource sees, and close once the client can have read it.

        Closing at once would reset the connection under a client that still sends,
        and the response would be lost with it.
        """
        self._closing = True
        self._unparsed = b""
        self._resume_reading()
        self.output.write(self.connections.heads.error_response(status, self._reader.headers()))
        self._reader.drop_body()
        if not self.output.paused:
            self.deadline = self.connections.now + self.connections.limits.linger
        self.output.end()

    def _resume_reading(self) -> None:
        if self._paused_reading and not self.client_has_ended:
            self._paused_reading = False
            self.transport.resumeProducing()

    # By the client

    def readConnectionLost(self) -> None:
        """The client closed its sending side: close once its requests have their responses."""
        self.client_has_ended = True
        self.transport.stopReading()
        if self._closing:
            self.transport.loseConnection()
        elif self._request is not None and self._request.ends_at_half_close:
            self._close()
        else:
            # So whatever goes on with the next request finds that there is none.
            self._parsed_ahead = True
            self._close_if_done()

    def writeConnectionLost(self) -> None:
        """The server closed its own sending side; it knows."""

    def _close_if_done(self) -> None:
        """Close if the client has ended, and all of its requests have their responses."""
        if (
            self.client_has_ended
            and self._request is None
            and not (self._unparsed or self._reader.ready or self._running or self._closing)
            and not self.output.paused
        ):
            self._close()

    def connectionLost(self, reason: Failure) -> None:
        """End."""
        self._closing = True
        self._unparsed = b""
        self._reader.forget()
        self.output.lost()
        request, self._request = self._request, None
        try:
            self.stop_producer()
        finally:
            if request is not None:
                request.connectionLost(reason)
            self.connections.lost(self)

    # By time

    def _set_deadline(self) -> None:
        """Give the client the time that is due to it in what it does now."""
        shared = self.connections
        if self._closing or self.output.paused:
            self.deadline = shared.now + shared.limits.stall
        elif self._request is not None:
            self.deadline = inf
        elif self._reader.receiving:
            self.deadline = shared.now + shared.limits.receive
        else:
            self.deadline = shared.idle_until

    def time_out(self) -> None:
        """Act upon a deadline that has passed."""
        if self._closing or self.output.paused:
            self._closing = True
            self._set_deadline()
            self.output.cut_off()
        elif self._reader.receiving:
            self._reader.receiving = False
            self._reject(408)
        else:
            self._close()
            self.deadline = self.connections.now + self.connections.limits.linger

    def make_room(self) -> None:
        """Close if no request is under way: newcomers wait."""
        is_busy = self._unparsed or self._reader.receiving or self._running or self._closing
        if self._request is None and not (is_busy or self.output.paused):
            self.time_out()

    def output_paused(self) -> None:
        """Hold the producer of the response."""
        self.connections.note_held(self.output.waiting)
        self._set_deadline()
        self.pause_producer()

    def output_progressed(self) -> None:
        """Give the client more time."""
        self._set_deadline()
