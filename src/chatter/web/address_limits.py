"""What each address may do: join, try tokens, connect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.protocol import Protocol
from twisted.logger import Logger

from chatter.chat.limits.limit import Limit
from chatter.chat.limits.meters import Meter
from chatter.web.addresses import bucket_of

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.chat.limits.rate_limits import RateLimits
    from chatter.web.addresses import Addresses


class AddressLimits:
    """The limits of requests by the address of their client.

    :param clock: an ``IReactorTime`` provider.

    :ivar wrong_tokens: how many tokens no user had.
    """

    def __init__(self, limits: RateLimits, addresses: Addresses, clock: Any) -> None:
        self.wrong_tokens = 0
        self._addresses = addresses
        self._join = None if limits.join is None else Limit("join", limits.join, clock.seconds)
        self._token = None if limits.token is None else Limit("token", limits.token, clock.seconds)

    def join(self, request: Request) -> None:
        """Count a request to join.

        :raises TooManyRequests: if there were too many lately.
        """
        address = self._addresses.bucket_of(request)
        if self._join is not None:
            self._join.take(address)

    def check_token(self, request: Request) -> None:
        """See whether a token may be tried that is not known in memory.

        :raises TooManyRequests: if too many were unknown lately.
        """
        if self._token is not None:
            self._token.check(self._addresses.bucket_of(request))

    def wrong_token(self, request: Request) -> None:
        """Count a token that no user has."""
        self.wrong_tokens += 1
        if self._token is not None:
            self._token.count(self._addresses.bucket_of(request))

    def refused(self) -> dict[str, int]:
        """How often each limit has refused something."""
        limits = {"join": self._join, "token": self._token}
        return {name: limit.refused for name, limit in limits.items() if limit is not None}


class ConnectionLimit:
    """The limit of connections that an address makes; none of trusted proxies.

    The first that is refused is logged: a proxy that is not trusted makes those of all its clients.

    :param clock: an ``IReactorTime`` provider.

    :ivar refused: how many connections were closed at once.
    """

    _log = Logger()

    def __init__(self, limits: RateLimits, addresses: Addresses, clock: Any) -> None:
        self.refused = 0
        self._addresses = addresses
        self._meter = None
        if limits.connection is not None:
            self._meter = Meter(limits.connection, clock.seconds)

    def admits(self, peer: Any) -> bool:
        """Whether a peer may make one more connection now; it is counted then.

        :param peer: an ``IAddress`` provider; what has no host is not limited.
        """
        if self._meter is None or not hasattr(peer, "host") or self._addresses.trusts(peer):
            return True
        bucket = bucket_of(peer.host)
        if self._meter.wait(bucket) > 0:
            if not self.refused:
                self._log.warn(
                    "{peer} makes too many connections: some are closed at once. If it is a "
                    "proxy, all its clients share this limit: see --trust.",
                    peer=peer.host,
                )
            self.refused += 1
            return False
        self._meter.count(bucket)
        return True


class RefusedConnection(Protocol):
    """A connection that is closed at once."""

    def connectionMade(self) -> None:
        """Close it."""
        transport: Any = self.transport
        transport.abortConnection()
