"""The address of a client: its connection's, or the one that a trusted proxy names.

``X-Forwarded-For`` and ``Forwarded`` (`RFC 7239 <https://www.rfc-editor.org/rfc/rfc7239>`_)
are lists to which each proxy adds the peer that it has served.  So they are read from the
right, from the peer of the connection on, up to the first address that is not trusted;
what is left of it may be forged.

The address counts for limits, bans and the access log, and for nothing else.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address as IPv6
from ipaddress import IPv6Network, ip_address
from itertools import islice
from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.logger import Logger

from chatter.chat.moderation.address_bans import parsed_network

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from twisted.web.server import Request

UNIX = "unix"
"""How connections over a UNIX socket are called, which have no address."""

_MOST_PROXIES = 16
"""A list with more trusted proxies than that is not read any further."""

_HEADERS = (b"X-Forwarded-For", b"Forwarded")


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
            given = [h for h in _HEADERS if request.getHeader(h) is not None]
            if given and not self.trusts(peer):
                self._warn_of(given[0].decode(), peer)
        return bucket_of(address)

    def _forwarded(self, request: Request, host: str) -> set[str]:
        """The addresses that a trusted peer names: one for each of the two headers."""
        if not self._is_trusted(host):
            return set()
        return {
            _first_untrusted(host, named, self._is_trusted)
            for header in _HEADERS
            if (named := _named(request, header)) is not None
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


def _named(request: Request, header: bytes) -> Iterator[str] | None:
    """What a header lists, from the right; ``None`` if there is no such header."""
    if request.getHeader(header) is None:
        return None
    lines = request.requestHeaders.getRawHeaders(header, [])
    text = b",".join(lines).decode("latin-1")
    if header == b"Forwarded":
        return map(_for_in, islice(_split_from_right(text, ","), _MOST_PROXIES))
    parts = text.rsplit(",", _MOST_PROXIES + 1)[-_MOST_PROXIES:]
    return (part.strip() for part in reversed(parts))


def _split_from_right(text: str, separator: str) -> Iterator[str]:
    """The parts of an element or of a list of ``Forwarded``, the last one first.

    A separator in a quoted string is none: a proxy quotes what its client has sent, such as the
    host.  A client may begin the list with half a string; the proxy's part at the end is whole.
    """
    end = len(text)
    is_quoted = False
    for place in range(end - 1, -1, -1):
        letter = text[place]
        if letter == '"' and not (is_quoted and _is_escaped(text, place)):
            is_quoted = not is_quoted
        elif letter == separator and not is_quoted:
            yield text[place + 1 : end]
            end = place
    yield text[:end]


def _is_escaped(text: str, place: int) -> bool:
    """Whether there is an odd number of backslashes before a place."""
    start = place
    while text[start - 1 : start] == "\\":
        start -= 1
    return (place - start) % 2 == 1


def _for_in(element: str) -> str:
    """The client of one proxy, in an element of ``Forwarded``: the first one, if it has several."""
    client = ""
    for pair in _split_from_right(element, ";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            client = value.strip().strip('"')
    return client


def _first_untrusted(peer: str, named: Iterator[str], is_trusted: Any) -> str:
    """The first address from the right that is not trusted, or the last one that is."""
    found = peer
    for address in _addresses(named):
        found = address
        if not is_trusted(address):
            break
    return found


def _addresses(nodes: Iterator[str]) -> Iterator[str]:
    """The addresses, up to what is none; some proxies add the port."""
    for node in nodes:
        address = _normal(node)
        if address is None:
            host = node.rpartition("]")[0][1:] if node[:1] == "[" else node.rpartition(":")[0]
            address = _normal(host)
        if address is None:
            return
        yield address
