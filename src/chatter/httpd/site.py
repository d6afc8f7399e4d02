"""The factory: its connections, the time that they share, and the clean end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.web.http import OK, RESPONSES, datetimeToString
from twisted.web.resource import getChildForRequest
from twisted.web.server import Site, version

from chatter.httpd.channel import LeanChannel
from chatter.httpd.limits import Limits
from chatter.httpd.outbox import Outbox
from chatter.httpd.watched_sockets import WatchedSockets

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IAddress, IDelayedCall
    from twisted.web.resource import IResource

    from chatter.httpd.stream import Stream

TICK = 1.0
"""So often, in seconds, deadlines are looked at and the date is made anew."""

DRAIN_TIMEOUT = 3.0
"""A draining site waits so many seconds for answers under way."""

_RESERVED = {b"connection", b"content-length", b"date", b"server", b"transfer-encoding"}

_NEWER_REASONS = {413: b"Content Too Large", 431: b"Request Header Fields Too Large"}


def reason_of(status: int) -> bytes:
    """What a status is called (RFC 9110, section 15; RFC 6585)."""
    reason: bytes = _NEWER_REASONS.get(status) or RESPONSES[status]
    return reason


def plain_error_body(status: int) -> tuple[bytes, bytes]:
    """The content type and the body that a refused client gets by default."""
    return b"text/plain", reason_of(status) + b"\n"


class LeanSite(Site):
    """A :class:`twisted.web.server.Site` whose connections cost little.

    :param resource: the root of the resources.
    :param reactor: an ``IReactorTime`` provider.
    :param limits: how much a client may ask for.
    :param access_log: where to write a line for each request; nowhere by default.
    :param error_body: the content type and the body for a request that is refused
        with a status before any resource sees it.

    :ivar connections: the open connections.
    :ivar draining: whether each answer is its connection's last.
    :ivar heads: what :meth:`head_with` has answered within this second.
    :ivar idle_until: the deadline of a connection on which nothing happens from now on.
    :ivar outbox: where whole answers wait for the end of the reactor's turn.
    :ivar sockets: reads from the connections of the ports that it takes over:
        ``site.sockets.take_over(port)``, which makes each request cheaper.
    :ivar now: the reactor's time, at most :data:`TICK` seconds old.
    """

    noisy = False

    def __init__(
        self,
        resource: IResource,
        reactor: Any,
        *,
        limits: Limits | None = None,
        access_log: str | None = None,
        error_body: Callable[[int], tuple[bytes, bytes]] = plain_error_body,
    ) -> None:
        super().__init__(resource, logPath=access_log, reactor=reactor)
        self.limits = limits or Limits()
        self.connections: set[LeanChannel | Stream] = set()
        self.draining = False
        self.outbox = Outbox(reactor)
        self.sockets = WatchedSockets(self.outbox)
        self._error_body = error_body
        self._drained: Deferred[None] | None = None
        self._next_tick: IDelayedCall | None = None
        self._status_lines: dict[tuple[int, bytes], bytes] = {}
        self.heads: dict[tuple[tuple[bytes, bytes], ...], bytes] = {}
        self._set_time()

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ARG002
        """Make a connection, and keep time as long as there is one."""
        if self._next_tick is None:
            self._set_time()
            self._next_tick = self.reactor.callLater(TICK, self._tick)
        return LeanChannel(self)

    def getResourceFor(self, request: Any) -> IResource:
        """Find the resource of a request, as every site does."""
        request.site = self
        request.sitepath = request.prepath[:]
        found: IResource = getChildForRequest(self.resource, request)
        return found

    # Logging, only where asked for

    def acceptableProtocols(self) -> list[bytes]:
        """What is spoken here, for TLS to agree upon: no HTTP/2."""
        return [b"http/1.1"]

    def startFactory(self) -> None:
        """Open the access log, if there is one."""
        if self.logPath is not None:
            super().startFactory()

    def stopFactory(self) -> None:
        """Close the access log; time need not be kept any more."""
        super().stopFactory()
        self._rest()

    def log(self, request: Any) -> None:
        """Write to the access log, if there is one."""
        if self.logPath is not None:
            super().log(request)

    # Time

    def _set_time(self) -> None:
        self.now = self.reactor.seconds()
        self.idle_until = self.now + self.limits.idle
        self._status_lines.clear()
        self.heads.clear()

    def _tick(self) -> None:
        self._next_tick = None
        self._set_time()
        now = self.now
        for connection in [c for c in self.connections if c.deadline <= now]:
            connection.time_out()
        if self.connections:
            self._next_tick = self.reactor.callLater(TICK, self._tick)

    def connection_lost(self, connection: LeanChannel | Stream) -> None:
        """Forget a connection; the last one ends the draining."""
        self.connections.discard(connection)
        if self.connections:
            return
        if not self.numPorts:
            self._rest()
        if self._drained is not None and not self._drained.called:
            self._drained.callback(None)

    def _rest(self) -> None:
        """Give back what no connection needs any more, if there is none."""
        if self.connections:
            return
        self.sockets.end()
        self.outbox.end()
        if self._next_tick is not None:
            self._next_tick.cancel()
            self._next_tick = None

    # What all answers begin with

    def status_line(self, code: int, reason: bytes) -> bytes:
        """The status line and the fields that are the same for a second."""
        line = self._status_lines.get((code, reason))
        if line is None:
            line = self._status_lines[code, reason] = (
                b"HTTP/1.1 %d %b\r\nServer: %b\r\nDate: %b\r\n"
                % (code, b" ".join(reason.split()), version, datetimeToString(self.now))
            )
        return line

    def head_with(self, headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
        """The head of an answer with status 200, up to and with some fields.

        :raises ValueError: if one of them is not the program's to say.
        """
        reserved = [name for name, _ in headers if name.lower() in _RESERVED]
        if reserved:
            raise ValueError(f"These fields are the server's: {reserved}.")
        lines = [self.status_line(OK, RESPONSES[OK])]
        lines += [b"%b: %b\r\n" % header for header in headers]
        head = self.heads[headers] = b"".join(lines)
        return head

    def error_response(self, status: int) -> bytes:
        """A whole answer to a request that no resource sees."""
        content_type, body = self._error_body(status)
        return b"%bContent-Type: %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (
            self.status_line(status, reason_of(status)),
            content_type,
            len(body),
            body,
        )

    # The end

    async def drain(self) -> None:
        """Answer the requests under way, and close all connections.

        What is not answered within :data:`DRAIN_TIMEOUT` seconds is cut off.
        """
        self.draining = True
        for connection in tuple(self.connections):
            connection.drain()
        if not self.connections:
            return
        if self._drained is None:
            self._drained = Deferred()
        timeout = self.reactor.callLater(DRAIN_TIMEOUT, self._cut_off)
        await self._drained
        if timeout.active():
            timeout.cancel()

    def _cut_off(self) -> None:
        for connection in tuple(self.connections):
            connection.transport.abortConnection()
