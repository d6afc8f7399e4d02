"""The addresses from which nobody may use the chat, as each node knows them.

What an address costs does not depend on how many networks are banned: of each length of network
that is banned there is one that the address is in, and that one is looked up.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

from cachetools import FIFOCache

from chatter.protocol.errors import Banned, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from chatter.protocol.moderation import BannedAddress

_REMEMBERED = 4096

_BEFORE_MAPPED = 96
"""So many bits stand before an address of IPv4 that is written as one of IPv6."""

_ZONE = re.compile("%[^/]+")
"""What an address has that is good on one link only: the interface, as in ``fe80::1%eth0``."""


class AddressBans:
    """The networks that are banned.

    :param now: tells the time of day, in UTC.

    :ivar until: when the ban of each network ends, which is in its usual form; always the same
        dict, which is empty in most chats.  What has ended is forgotten when there are twice as
        many as the last sweep left.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.until: dict[str, datetime] = {}
        # Of each version of IP, how many bits the banned networks have in common.
        self._lengths: dict[int, set[int]] = {4: set(), 6: set()}
        self._sweep_beyond = 0
        # The bans that an address is in.
        self._found: FIFOCache[str, tuple[str, ...]] = FIFOCache(_REMEMBERED)

    def learn(self, found: Iterable[BannedAddress]) -> None:
        """Take these for all that there are."""
        self._replace({banned.network: banned.until for banned in found})

    def set(self, network: str, until: datetime | None) -> None:
        """Take note of the ban of a network, or of its end."""
        self._found.clear()
        if until is None:
            self.until.pop(network, None)
        else:
            self.until[network] = until
            self._note_length(network)
        if len(self.until) > self._sweep_beyond:
            now = self._now()
            self._replace({known: end for known, end in self.until.items() if end > now})

    def _replace(self, until: dict[str, datetime]) -> None:
        self.until.clear()
        self._found.clear()
        self.until.update(until)
        # Swept when there are twice as many as the last sweep has left: a ban costs the same,
        # however many there are.
        self._sweep_beyond = 2 * len(until)
        for lengths in self._lengths.values():
            lengths.clear()
        for network in until:
            self._note_length(network)

    def _note_length(self, network: str) -> None:
        address, _, length = network.partition("/")
        self._lengths[6 if ":" in address else 4].add(int(length))

    def check(self, address: str) -> None:
        """See whether requests from an address are served.

        :raises Banned: if they are not.
        """
        end = self.banned_until(address)
        if end is not None:
            raise Banned(end, f"Your address is banned{Banned.end_of(end)}.")

    def banned_until(self, address: str) -> datetime | None:
        """Until when an address is banned; ``None`` if it is not.

        :param address: what is no IP address is not banned.
        """
        networks = self._found.get(address)
        if networks is None:
            networks = self._found[address] = self._networks_of(address)
        now = self._now()
        until = [self.until[network] for network in networks if self.until[network] > now]
        return max(until, default=None)

    def _networks_of(self, address: str) -> tuple[str, ...]:
        try:
            host = parsed_network(address)
        except ValueError:
            return ()
        around = networks_around(host, self._lengths[host.version])
        return tuple(network for network in around if network in self.until)


def networks_around(network: IPv4Network | IPv6Network, lengths: Iterable[int]) -> Iterator[str]:
    """The networks of some lengths that a network is part of, each in its usual form.

    :param lengths: how many bits the addresses of such a network have in common.
    """
    for length in lengths:
        if length <= network.prefixlen:
            yield str(network.supernet(new_prefix=length))


def parsed_network(text: str) -> IPv4Network | IPv6Network:
    """A network as the addresses of clients are: of IPv4 also if it is written as IPv6; no zone.

    :raises ValueError: if it is none.
    """
    network = ip_network(_ZONE.sub("", text), strict=False)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < _BEFORE_MAPPED:
        return network
    return IPv4Network((int(mapped), network.prefixlen - _BEFORE_MAPPED))


def checked_network(network: str) -> str:
    """A network in its usual form.

    :raises InvalidRequest: if it is none.
    """
    try:
        return str(parsed_network(network))
    except ValueError:
        raise InvalidRequest(
            "network is not valid. Expected: an IP address, or a network of them: 10.0.0.5 or "
            "10.0.0.0/8."
        ) from None
