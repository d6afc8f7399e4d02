"""Acts of the operator that are about addresses: from which of them nobody may use the chat."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

from msgspec import Struct

from chatter.chat.moderation.address_bans import checked_network
from chatter.protocol.bodies import Done
from chatter.protocol.errors import InvalidRequest
from chatter.protocol.moderation import BannedAddress, Network, Reason, Seconds

if TYPE_CHECKING:
    from chatter.chat.core import ChatCore


class BanAddressBody(Struct, frozen=True):
    """What ``POST /ban-address`` takes.

    :ivar seconds: for how long; without an end if there are none.
    """

    network: Network
    seconds: Seconds | None = None
    reason: Reason = ""


class UnbanAddressBody(Struct, frozen=True):
    """What ``POST /unban-address`` takes."""

    network: Network


class Nothing(Struct, frozen=True):
    """A body that says nothing."""


class BannedAddresses(Struct, frozen=True):
    """The networks that are banned now."""

    addresses: list[BannedAddress]


async def ban_address(core: ChatCore, body: BanAddressBody) -> BannedAddress:
    """Serve no requests from a network any more."""
    network = checked_network(body.network)
    return await core.moderating.ban_address(network, body.seconds, body.reason)


async def unban_address(core: ChatCore, body: UnbanAddressBody) -> Done:
    """End the ban of a network.

    :raises InvalidRequest: if it is not banned; it may be part of one that is.
    """
    network = checked_network(body.network)
    banned = [found.network for found in await core.moderating.banned_addresses()]
    if network not in banned:
        around = [other for other in banned if _is_within(network, other)]
        hint = f", but it is part of {around[0]}, which is" if around else ""
        raise InvalidRequest(f"{network} is not banned{hint}.")
    await core.moderating.unban_address(network)
    return Done()


def _is_within(network: str, other: str) -> bool:
    one, around = ip_network(network), ip_network(other)
    if isinstance(one, IPv4Network):
        return isinstance(around, IPv4Network) and one.subnet_of(around)
    return isinstance(around, IPv6Network) and one.subnet_of(around)


async def list_addresses(core: ChatCore, body: Nothing) -> BannedAddresses:  # noqa: ARG001
    """Say which networks are banned."""
    return BannedAddresses(await core.moderating.banned_addresses())
