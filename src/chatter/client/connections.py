"""The connections of a client: kept open between requests, bounded in what they bring.

Twisted's parser of responses reads as many header lines as a server sends, and as
many interim responses (1xx).  So a guard stands between it and the transport.  It
counts the bytes up to the end of a head, and ends a connection that is to be closed
also if the server does not agree.
"""

# ruff: noqa: N802 - the camelCase names are those of Twisted's interfaces
from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import connectionDone
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from chatter.client.errors import UnexpectedResponse

if TYPE_CHECKING:
    from twisted.internet.interfaces import IProtocolFactory
    from twisted.web.client import URI

    from chatter.client.tls import StrictPolicy

MAX_HEAD = 16 * 1024
"""The bytes of the longest head of a response, with all interim responses before it.

Not more than the longest line that Twisted's parser takes: a longer one would look
like a connection that broke.
"""

CONNECT_TIMEOUT = 10
"""So many seconds may pass until a server accepts a connection."""

KEPT_FOR = 30
"""Servers close idle connections after a minute or so; a kept one should be alive."""

CLOSE_TIMEOUT = 2.0
"""So many seconds a server has to agree that a connection is closed."""

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_INTERIM = range(100, 200)
_BEGINNING = b"HTTP/"
_OF_TLS = (b"\x15", b"\x16")
_IS_TLS = "The server speaks TLS; is it an https URL?"


class Connections:
    """Makes the connections of one client, and closes them.

    :param reactor: makes connections and measures time.
    :param policy: which servers are trusted over TLS.

    :ivar agent: makes requests over them.
    """

    def __init__(self, reactor: Any, policy: StrictPolicy) -> None:
        self._guards: set[_Guard] = set()
        self._pool = HTTPConnectionPool(reactor)
        self._pool.cachedConnectionTimeout = KEPT_FOR
        endpoints = _Endpoints(reactor, policy, self._guards)
        self.agent = Agent.usingEndpointFactory(reactor, endpoints, self._pool)

    def close(self) -> Deferred[None]:
        """Close all connections, those in use too; fires when they are closed."""
        closed: list[Deferred[Any]] = [guard.when_lost() for guard in self._guards]
        closed.append(self._pool.closeCachedConnections())
        for guard in list(self._guards):
            guard.abortConnection()
        return DeferredList(closed).addCallback(lambda _: None)


@implementer(IAgentEndpointFactory)
class _Endpoints:
    """Where the agent connects to."""

    def __init__(self, reactor: Any, policy: StrictPolicy, guards: set[_Guard]) -> None:
        self._reactor = reactor
        self._policy = policy
        self._guards = guards

    def endpointForURI(self, uri: URI) -> _GuardedEndpoint:
        host = uri.host.decode("ascii")
        endpoint: Any = HostnameEndpoint(self._reactor, host, uri.port, timeout=CONNECT_TIMEOUT)
        if uri.scheme == b"https":
            creator = self._policy.creatorForNetloc(uri.host, uri.port)
            endpoint = wrapClientTLS(creator, endpoint)
        return _GuardedEndpoint(endpoint, self._reactor, self._guards)


@implementer(IStreamClientEndpoint)
class _GuardedEndpoint:
    """An endpoint that puts a guard before each protocol."""

    def __init__(self, endpoint: Any, reactor: Any, guards: set[_Guard]) -> None:
        self._endpoint = endpoint
        self._reactor = reactor
        self._guards = guards

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:  # noqa: N803
        factory = _GuardFactory(protocolFactory, self._reactor, self._guards)
        connected: Deferred[Any] = self._endpoint.connect(factory)
        return connected.addCallback(lambda guard: guard.wrappedProtocol)


class _GuardFactory(WrappingFactory):
    def __init__(self, wrapped: Any, reactor: Any, guards: set[_Guard]) -> None:
        super().__init__(wrapped)
        self._reactor = reactor
        self._guards = guards

    def buildProtocol(self, addr: Any) -> _Guard:
        wrapped: Any = self.wrappedFactory.buildProtocol(addr)
        return _Guard(self, wrapped, self._reactor, self._guards)


class _Guard(ProtocolWrapper):
    """Stands between a transport and the parser of the responses that come over it."""

    def __init__(self, factory: Any, wrapped: Any, reactor: Any, guards: set[_Guard]) -> None:
        super().__init__(factory, wrapped)
        self._reactor = reactor
        self._guards = guards
        self._head: bytearray | None = None
        self._head_size = 0
        self._is_over = False
        self._has_told = False
        self._forced: Any = None
        self._lost: list[Deferred[None]] = []

    def when_lost(self) -> Deferred[None]:
        """Fires when the connection is closed."""
        lost: Deferred[None] = Deferred()
        self._lost.append(lost)
        return lost

    def makeConnection(self, transport: Any) -> None:
        self._guards.add(self)
        super().makeConnection(transport)

    def write(self, data: Any) -> None:
        self._expect_head()
        super().write(data)

    def writeSequence(self, data: Any) -> None:
        self._expect_head()
        super().writeSequence(data)

    def _expect_head(self) -> None:
        """A request goes out: the head of its response comes next."""
        if self._head is None:
            self._head = bytearray()
            self._head_size = 0

    def dataReceived(self, data: bytes) -> None:
        if self._is_over:
            return
        if self._head is not None:
            self._measure(data)
            if self._head_size > MAX_HEAD:
                self._end("The response has a longer head than any of a chat server.")
                return
            if self._head is not None and not _may_begin_a_response(self._head):
                is_tls = self._head[:1] in _OF_TLS
                self._end(_IS_TLS if is_tls else "What the server sends is not valid HTTP.")
                return
        super().dataReceived(data)

    def _measure(self, data: bytes) -> None:
        """Count the bytes up to the end of the head that is not an interim one."""
        assert self._head is not None
        start = max(0, len(self._head) - 2)
        self._head += data[: MAX_HEAD + 1]
        while (end := _END_OF_HEAD.search(self._head, start)) is not None:
            self._head_size += end.end()
            if not _is_interim(self._head) or self._head_size > MAX_HEAD:
                self._head = None
                return
            del self._head[: end.end()]
            start = 0
        if self._head_size + len(self._head) > MAX_HEAD:
            self._head_size = MAX_HEAD + 1

    def _end(self, detail: str) -> None:
        """End the parser, and close the connection."""
        self._has_told = True
        wrapped: Any = self.wrappedProtocol
        wrapped.connectionLost(Failure(UnexpectedResponse(detail)))
        self.abortConnection()

    def abortConnection(self) -> None:
        self._is_over = True
        transport: Any = self.transport
        transport.abortConnection()

    def loseConnection(self) -> None:
        # What still comes is of no use, and over TLS it may come for a while.
        self._is_over = True
        super().loseConnection()
        if self._forced is None and self in self._guards:
            self._forced = self._reactor.callLater(CLOSE_TIMEOUT, self.abortConnection)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._guards.discard(self)
        if self._forced is not None and self._forced.active():
            self._forced.cancel()
        if self._has_told:
            self.factory.unregisterProtocol(self)
        else:
            super().connectionLost(reason)
        lost, self._lost = self._lost, []
        for waiting in lost:
            waiting.callback(None)


def _may_begin_a_response(head: bytearray) -> bool:
    return head[: len(_BEGINNING)] == _BEGINNING[: len(head)]


def _is_interim(head: bytearray) -> bool:
    """Whether another head follows, as Twisted's parser sees it."""
    parts = bytes(head).partition(b"\n")[0].split(b" ", 2)
    try:
        return int(parts[1]) in _INTERIM
    except (IndexError, ValueError):
        return False
