"""Connections of a proxy that sends the client's address first: ``haproxy:`` endpoints.

Once the PROXY header is read, the site's own connection takes the place of the one here,
so that no request costs more than without a proxy.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamServerEndpoint
from zope.interface import implementer

from chatter.httpd.proxy_header import parse_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IAddress, IListeningPort
    from twisted.python.failure import Failure

    from chatter.httpd.site import LeanSite


@implementer(IStreamServerEndpoint)
class BehindProxyEndpoint:
    """An endpoint to which proxies connect that send a PROXY header.

    Only a :class:`chatter.httpd.site.LeanSite` can listen on it.

    :param endpoint: where to listen, an ``IStreamServerEndpoint`` provider.
    :param believes: whether a peer is a proxy whose header is believed; of others it is only
        read.
    """

    def __init__(self, endpoint: Any, believes: Callable[[IAddress], bool]) -> None:
        self._endpoint = endpoint
        self._believes = believes

    def listen(self, protocolFactory: Any) -> Deferred[IListeningPort]:  # noqa: N803 - Twisted's
        """Listen; fires with the port."""
        behind = _BehindProxy(protocolFactory, self._believes)
        listening: Deferred[IListeningPort] = self._endpoint.listen(behind)
        return listening


@implementer(IProtocolFactory)
class _BehindProxy:
    def __init__(self, site: LeanSite, believes: Callable[[IAddress], bool]) -> None:
        self.site = site
        self.believes = believes

    def buildProtocol(self, _: IAddress | None) -> Any:
        self.site.connections.expect()
        return _UnknownConnection(self)

    def doStart(self) -> None:
        self.site.doStart()

    def doStop(self) -> None:
        self.site.doStop()

    def acceptableProtocols(self) -> list[bytes]:
        """The protocols that TLS may agree upon."""
        return self.site.acceptableProtocols()


@implementer(IProtocol)
class _UnknownConnection:
    """A connection as long as it is not known whose it is, and then what passes it on."""

    held = 0

    def __init__(self, factory: _BehindProxy) -> None:
        self._factory = factory
        self._connections = factory.site.connections
        self._received = b""
        self._protocol: Any = None
        self.deadline = inf
        self.transport: Any = None

    def makeConnection(self, transport: Any) -> None:
        self.transport = transport
        self._connections.open.add(self)
        self.deadline = self._connections.idle_until

    def connectionMade(self) -> None:
        """Begin; :meth:`makeConnection` has done it."""

    def dataReceived(self, data: bytes) -> None:
        if self._protocol is not None:
            self._protocol.dataReceived(data)
            return
        self._received += data
        try:
            header = parse_header(self._received)
        except ValueError:
            self.transport.loseConnection()
            return
        if header is None:
            return
        peer, host = self.transport.getPeer(), self.transport.getHost()
        if header.peer is not None and header.host is not None and self._factory.believes(peer):
            peer, host = header.peer, header.host
        self._protocol = protocol = self._factory.site.buildProtocol(peer)
        protocol.addresses = (peer, host)
        if getattr(self.transport, "protocol", None) is self:
            # Over TLS it is not; then all is passed on.
            self.transport.protocol = protocol
        protocol.makeConnection(self.transport)
        self._connections.open.discard(self)
        if len(self._received) > header.size:
            protocol.dataReceived(self._received[header.size :])

    def connectionLost(self, reason: Failure) -> None:
        if self._protocol is not None:
            self._protocol.connectionLost(reason)
        else:
            self._connections.lost(self)

    def time_out(self) -> None:
        """Close it: there was no header in time."""
        self.transport.abortConnection()

    def make_room(self) -> None:
        """Close it: the header is missing for a while, and newcomers wait."""
        self.time_out()

    def relieve(self) -> None:
        """Do nothing: it holds next to nothing."""

    def drain(self) -> None:
        """Close it: no request is under way."""
        self.transport.loseConnection()
