"""The site that ``twistd chatter`` serves: limits, no waste, and a clean end.

It is a :class:`twisted.web.server.Site`.  What it does more: it refuses a body
that is too large before reading it, parses neither forms nor cookies, and can be
drained, so that a stopping server answers what is under way and no more.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.web.http import HTTPChannel
from twisted.web.server import Request, Site

from chatter.errors import ContentTooLarge
from chatter.web.answers import answer_error
from chatter.wire import MAX_BODY

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime
    from twisted.python.failure import Failure
    from twisted.web.resource import IResource

IDLE_TIMEOUT = 60
"""A connection on which nothing comes for so many seconds is closed."""

DRAIN_TIMEOUT = 3
"""A stopping site waits so many seconds for answers under way."""

LINGER_TIMEOUT = 5
"""For so many seconds a refused client may go on sending before it is cut off."""


class ChatRequest(Request):
    """A request without cookies and forms, whose body has a limit."""

    channel: ChatChannel
    _size = 0
    _refused = False

    def parseCookies(self) -> None:
        """Skip them: the chat has none."""

    def gotLength(self, length: int | None) -> None:
        """Refuse a body that is announced to be too large."""
        self.content = BytesIO()
        if length is not None and length > MAX_BODY:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        """Take a part of the body, up to the limit."""
        self._size += len(data)
        if self._refused:
            return
        if self._size > MAX_BODY:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Process the request unless it was refused."""
        if not self._refused:
            super().requestReceived(command, path, version)

    def _refuse(self) -> None:
        self._refused = True
        # Nobody shall be told to go on.
        self.requestHeaders.removeHeader(b"Expect")
        self.channel.refuse(ContentTooLarge(f"A body has at most {MAX_BODY} bytes."))


class ChatChannel(HTTPChannel):
    """A connection that its site knows of."""

    site: ChatSite
    transport: Any
    _draining = False

    def connectionMade(self) -> None:
        """Join the site's connections."""
        super().connectionMade()
        self.site.connections.add(self)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """Leave the site's connections."""
        self.site.connection_lost(self)
        super().connectionLost(reason)

    def checkPersistence(self, request: Any, version: bytes) -> bool:
        """While the site drains, each answer is the connection's last."""
        persistent: bool = super().checkPersistence(request, version)
        if self._draining:
            request.responseHeaders.setRawHeaders(b"Connection", [b"close"])
            return False
        return persistent

    def refuse(self, error: ContentTooLarge) -> None:
        """Answer an error at once, and close once the client has had time to read it.

        Closing at once would reset the connection under a client that still sends,
        and the answer would be lost with it.
        """
        answer = answer_error(error)
        head = (
            f"HTTP/1.1 {answer.status} Content Too Large\r\n"
            f"Content-Type: {answer.content_type.decode()}\r\n"
            f"Content-Length: {len(answer.body)}\r\n"
            "Connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + answer.body)
        self.dataReceived = lambda _: None  # type: ignore[method-assign]
        self.setTimeout(LINGER_TIMEOUT)
        if hasattr(self.transport, "loseWriteConnection"):
            self.transport.loseWriteConnection()
        else:
            self.loseConnection()

    def drain(self) -> None:
        """Close once the request under way, if there is one, has been answered."""
        self._draining = True
        if not self.requests:
            self.loseConnection()
            return
        self.persistent = False
        request = self.requests[0]
        if not request.startedWriting:
            request.responseHeaders.setRawHeaders(b"Connection", [b"close"])


class ChatSite(Site):
    """A site for a chat's resources.

    :param resource: the root of the site.
    :param reactor: an ``IReactorTime`` provider.
    :param access_log: where to write a line for each request; nowhere by default.
    """

    protocol = ChatChannel  # type: ignore[assignment]
    noisy = False

    def __init__(
        self, resource: IResource, reactor: IReactorTime, access_log: str | None = None
    ) -> None:
        super().__init__(
            resource,
            ChatRequest,
            access_log,
            timeout=IDLE_TIMEOUT,
            reactor=reactor,
            parsePOSTFormSubmission=False,
        )
        self.connections: set[ChatChannel] = set()
        self._drained: Deferred[None] | None = None

    def startFactory(self) -> None:
        """Open the access log, if there is one."""
        if self.logPath is not None:
            super().startFactory()

    def log(self, request: Any) -> None:
        """Write to the access log, if there is one."""
        if self.logPath is not None:
            super().log(request)

    async def drain(self) -> None:
        """Answer the requests under way, and close all connections.

        What is not answered within :data:`DRAIN_TIMEOUT` seconds is cut off.
        """
        for connection in tuple(self.connections):
            connection.drain()
        if not self.connections:
            return
        self._drained = Deferred()
        timeout = self.reactor.callLater(DRAIN_TIMEOUT, self._cut_off)
        await self._drained
        if timeout.active():
            timeout.cancel()

    def _cut_off(self) -> None:
        for connection in tuple(self.connections):
            connection.forceAbortClient()

    def connection_lost(self, connection: ChatChannel) -> None:
        """Forget a connection; the last one ends the draining."""
        self.connections.discard(connection)
        if not self.connections and self._drained is not None and not self._drained.called:
            self._drained.callback(None)
