"""The address of a client: its connection's, or the one that a trusted proxy names.

What ``X-Forwarded-For`` and ``Forwarded`` list is read from the right, from the peer of the
connection on, up to the first address that is not trusted; what is left of it may be forged.

The address counts for limits, bans and the access log, and for nothing else.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address as IPv6
from ipaddress import IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.logger import Logger

from chatter.chat.moderation.address_bans import parsed_network
from chatter.web.forwarded import HEADERS, named_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from twisted.web.server import Request

UNIX = "unix"
"""How connections over a UNIX socket are called, which have no address."""


class Addresses:
    """Tells the address of the client of a request.

    :param trust: whose ``X-Forwarded-For`` or ``Forwarded`` is believed: addresses, networks such
        as ``10.0.0.0/8``, and ``unix`` for all that comes over a UNIX socket.
    :raises TypeError: if it is one string.
    :raises ValueError: if one of them is none of these.
    """

    _log = Logger()

    def __init__(self, trust: Collection[str] = ()) -> None:
        if isinstance(trust, str):
            raise TypeError(f"trust is a collection of strings: write trust=[{trust!r}].")
        self._networks = [_network(text) for text in trust if text != UNIX]
        self._trusts_unix = UNIX in trust
        self._has_warned = False
        self._is_trusted = lru_cache(1024)(self._look_up)

    def trusts(self, address: object) -> bool:
        """Whether the word of a peer is taken.

        :param address: an ``IAddress`` provider.
        """
        return self._is_trusted(_host_of(address))

    def believes(self, address: object) -> bool:
        """Whether the PROXY header of a peer is believed; it is logged once if one is not.

        :param address: an ``IAddress`` provider.
        """
        believed = self.trusts(address)
        if not believed:
            self._warn_of("a PROXY header", address)
        return believed

    def of(self, request: Request) -> str:
        """The address of the client of a request; ``unix`` if only a socket's path is known."""
        host = _host_of(request.getClientAddress())
        found = self._forwarded(request, host)
        # A proxy that sets one of the two headers may pass on what its client has in the other.
        return found.pop() if len(found) == 1 else host

    def all_of(self, request: Request) -> Collection[str]:
        """All addresses that may be the client's: who is banned forges one more, but no fewer."""
        host = _host_of(request.getClientAddress())
        return self._forwarded(request, host) or (host,)

    def bucket_of(self, request: Request) -> str:
        """What counts as one address for limits: an IPv4 address, or 64 bits of an IPv6 one."""
        address = self.of(request)
        if not self._has_warned:
            peer = request.getClientAddress()
            given = [h for h in HEADERS if request.getHeader(h) is not None]
            if given and not self.trusts(peer):
                self._warn_of(given[0].decode(), peer)
        return bucket_of(address)

    def _forwarded(self, request: Request, host: str) -> set[str]:
        """The addresses that a trusted peer names: one for each of the two headers."""
        if not self._is_trusted(host):
            return set()
        return {
            _first_untrusted(host, named, self._is_trusted)
            for header in HEADERS
            if (named := named_in(request, header)) is not None
        }

    def _look_up(self, host: str) -> bool:
        if host == UNIX:
            return self._trusts_unix
        address = _parsed(host)
        return address is not None and any(address in network for network in self._networks)

    def _warn_of(self, what: str, peer: object) -> None:
        if not self._has_warned:
            self._has_warned = True
            self._log.warn(
                "{what} of {peer} is not believed, since that is not trusted. If it is a proxy, "
                "all its clients share one address, and the limits of one: see --trust.",
                what=what,
                peer=_host_of(peer),
            )


@lru_cache(4096)
def bucket_of(address: str) -> str:
    """What counts as one address for limits: a host is given 64 bits of IPv6 at least."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6):
        return str(IPv6Network((int(parsed) >> 64 << 64, 64)))
    return address


def _network(text: str) -> Any:
    try:
        return parsed_network(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no address: write one (10.0.0.5), a network (10.0.0.0/8), or unix "
            "for UNIX sockets."
        ) from None


def _host_of(address: Any) -> str:
    if isinstance(address, (IPv4Address, IPv6Address)):
        return _normal(address.host) or address.host
    return UNIX


@lru_cache(4096)
def _normal(text: str) -> str | None:
    """An address in its usual form; ``None`` if it is none."""
    address = _parsed(text)
    return None if address is None else str(address)


def _parsed(text: str) -> Any:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _first_untrusted(peer: str, named: Iterable[str], is_trusted: Any) -> str:
    """The first address from the right that is not trusted, or the last one that is."""
    found = peer
    for address in _addresses(named):
        found = address
        if not is_trusted(address):
            break
    return found


def _addresses(nodes: Iterable[str]) -> Iterator[str]:
    """The addresses, up to what is none; some proxies add the port."""
    for node in nodes:
        address = _normal(node)
        if address is None:
            host = node.rpartition("]")[0][1:] if node[:1] == "[" else node.rpartition(":")[0]
            address = _normal(host)
        if address is None:
            return
        yield address
