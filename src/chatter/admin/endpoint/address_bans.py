"""Acts of the operator that are about addresses: from which of them nobody may use the chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from chatter.chat.moderation.address_bans import checked_network
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


class Unbanned(Struct, frozen=True):
    """A network whose ban has ended.

    :ivar part_of: a network that is still banned and has this one in it; ``None`` if there is none.
    """

    network: str
    part_of: str | None


class Nothing(Struct, frozen=True):
    """A body that says nothing."""


class BannedAddresses(Struct, frozen=True):
    """The networks that are banned now."""

    addresses: list[BannedAddress]


async def ban_address(core: ChatCore, body: BanAddressBody) -> BannedAddress:
    """Serve no requests from a network any more."""
    network = checked_network(body.network)
    return await core.moderating.ban_address(network, body.seconds, body.reason)


async def unban_address(core: ChatCore, body: UnbanAddressBody) -> Unbanned:
    """End the ban of a network.

    :raises InvalidRequest: if it is not banned; it may be part of one that is.
    """
    network = checked_network(body.network)
    return Unbanned(network, await core.moderating.unban_address(network))


async def list_addresses(core: ChatCore, body: Nothing) -> BannedAddresses:  # noqa: ARG001
    """Say which networks are banned."""
    return BannedAddresses(await core.moderating.banned_addresses())
