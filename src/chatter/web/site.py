"""The site that ``twistd chatter`` serves: the lean server, with the chat's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import json
from twisted.internet.address import IPv4Address, UNIXAddress

from chatter.chat.limits.rate_limits import DEFAULT_LIMITS
from chatter.clocks import wall_clock
from chatter.httpd import LeanSite, Limits, reason_of
from chatter.protocol.bodies import MAX_BODY
from chatter.protocol.errors import ContentTooLarge, InvalidRequest
from chatter.protocol.problems import Problem, problem_of
from chatter.web.address_limits import ConnectionLimit, RefusedConnection
from chatter.web.addresses import UNIX, Addresses
from chatter.web.cors import checked_origins, cors_headers

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from twisted.internet.interfaces import IAddress

    from chatter.chat.limits.rate_limits import RateLimits

LIMITS = Limits(body=MAX_BODY)

_PROBLEMS = {
    400: problem_of(InvalidRequest("This is not HTTP/1.1.")),
    413: problem_of(ContentTooLarge(f"A body has at most {MAX_BODY} bytes.")),
}


class _Forwarded:
    """A request as it looks with another address of its client."""

    def __init__(self, request: Any, address: str) -> None:
        self._request = request
        self._address = address

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)

    def getClientAddress(self) -> object:
        if self._address == UNIX:
            return UNIXAddress(None)
        return IPv4Address("TCP", self._address, 0)


class ChatSite(LeanSite):
    """A site for a chat's resources.

    :param resource: the root of the site, an ``IResource`` provider.
    :param reactor: an ``IReactorTime`` provider.
    :param access_log: where to write a line for each request; nowhere by default.
    :param origins: the origins of web pages that may read what the site itself responds to a
        request that is too large or is not HTTP; they are the resource's own.
    :param limits: how many connections an address may make, and how fast.
    :param trust: the proxies whose headers about clients are believed, as the resource has them.

    :ivar addresses: tells the addresses of clients.
    :ivar connection_limit: the limit of connections that an address makes.
    """

    def __init__(
        self,
        resource: Any,
        reactor: Any,
        access_log: str | None = None,
        *,
        origins: Collection[str] = (),
        limits: RateLimits = DEFAULT_LIMITS,
        trust: Collection[str] = (),
    ) -> None:
        self.addresses = Addresses(trust)
        self.connection_limit = ConnectionLimit(limits, self.addresses, reactor)
        self._origins = checked_origins(origins)
        super().__init__(
            resource,
            reactor,
            wall_clock=wall_clock(reactor),
            limits=LIMITS,
            access_log=access_log,
            error_page=self._problem_page,
        )

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Make a connection; it is closed at once if its address makes too many."""
        if self.connection_limit.admits(addr):
            return super().buildProtocol(addr)
        return RefusedConnection()

    def access_log_line(self, timestamp: object, request: Any) -> str:
        """The line of the access log for a request, with the address that a proxy tells."""
        return super().access_log_line(timestamp, _Forwarded(request, self.addresses.of(request)))

    def _problem_page(
        self, status: int, request_headers: Mapping[bytes, list[bytes]]
    ) -> tuple[tuple[tuple[bytes, bytes], ...], bytes]:
        """The response to a request that no resource sees, as the resources make theirs."""
        title = reason_of(status).decode()
        problem = _PROBLEMS.get(status, Problem("about:blank", title, status, f"{title}."))
        headers = (
            (b"Content-Type", b"application/problem+json"),
            (b"Cache-Control", b"no-store"),
            *cors_headers(request_headers.get(b"origin", [None])[-1], self._origins),
        )
        return headers, json.encode(problem)
