"""The addresses from which nobody may use the chat, as each node knows them."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any

from cachetools import FIFOCache

from chatter.protocol.errors import Banned, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from chatter.protocol.moderation import BannedAddress

_REMEMBERED = 4096

_BEFORE_MAPPED = 96
"""So many bits stand before an address of IPv4 that is written as one of IPv6."""


class AddressBans:
    """The networks that are banned.

    :param now: tells the time of day, in UTC.

    :ivar until: when the ban of each network ends; always the same dict, which is empty in
        most chats.  What has ended is forgotten with the next ban.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.until: dict[Any, datetime] = {}
        # The bans that an address is in.
        self._found: FIFOCache[str, tuple[Any, ...]] = FIFOCache(_REMEMBERED)

    def learn(self, found: Iterable[BannedAddress]) -> None:
        """Take these for all that there are."""
        self.until.clear()
        self._found.clear()
        self.until.update({ip_network(banned.network): banned.until for banned in found})

    def set(self, network: str, until: datetime | None) -> None:
        """Take note of the ban of a network, or of its end."""
        self._found.clear()
        now = self._now()
        for ended in [known for known, end in self.until.items() if end <= now]:
            del self.until[ended]
        if until is None:
            self.until.pop(ip_network(network), None)
        else:
            self.until[ip_network(network)] = until

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

    def _networks_of(self, address: str) -> tuple[Any, ...]:
        try:
            parsed = ip_address(address)
        except ValueError:
            return ()
        return tuple(network for network in self.until if parsed in network)


def parsed_network(text: str) -> IPv4Network | IPv6Network:
    """A network; one of IPv4 also if it is written as IPv6, since no client has such an address.

    :raises ValueError: if it is none.
    """
    network = ip_network(text, strict=False)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < _BEFORE_MAPPED:
        return network
    return IPv4Network((int(mapped), network.prefixlen - _BEFORE_MAPPED))


def is_within(network: str, other: str) -> bool:
    """Whether a network is part of another one, or the same."""
    one, around = ip_network(network), ip_network(other)
    if isinstance(one, IPv4Network):
        return isinstance(around, IPv4Network) and one.subnet_of(around)
    return isinstance(around, IPv6Network) and one.subnet_of(around)


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
