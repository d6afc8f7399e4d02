"""The networks that are banned, as a node knows them."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import Mock

from chatter.chat.chat import core_of
from chatter.chat.moderation.address_bans import networks_around
from chatter.protocol.model import FOREVER
from chatter.protocol.moderation import BannedAddress
from tests.results import result_of


def ban(chat, network, seconds=None):
    result_of(chat.moderation.ban_address(network, seconds, "spam"))


def test_a_part_of_several_networks_is_banned_as_long_as_any_of_them(chat, clock):
    """Networks of both kinds and of any length; the end of one ban leaves the others."""
    addresses = core_of(chat).standings.addresses
    one, other = "10.1.2.3", "2001:db8:0:1::1"
    around = ["10.1.2.3/32", "10.1.2.0/31", "10.0.0.0/8", "0.0.0.0/0"]
    around += [f"{other}/128", "2001:db8::/32", "::/0"]
    for seconds, network in enumerate(around, 1):
        ban(chat, network, seconds)
    now = core_of(chat).presence.now()
    assert addresses.banned_until(one) == now + timedelta(seconds=4)
    assert addresses.banned_until(other) == now + timedelta(seconds=7)
    result_of(chat.moderation.unban_address("0.0.0.0/0"))
    assert addresses.banned_until(one) == now + timedelta(seconds=3)
    assert addresses.banned_until("10.1.2.1") == now + timedelta(seconds=3)
    assert addresses.banned_until("11.1.2.3") is None
    clock.advance(6)
    assert (addresses.banned_until(one), addresses.banned_until("fe80::1%eth0")) == (
        None,
        now + timedelta(seconds=7),
    )


def test_a_look_up_costs_the_same_however_many_networks_are_banned(chat, monkeypatch):
    """As does a ban: nothing walks over those that there are."""
    addresses = core_of(chat).standings.addresses
    addresses.learn(BannedAddress(f"10.{n // 256}.{n % 256}.0/24", FOREVER) for n in range(10_000))
    looked_at: list[str] = []

    def observed(network, lengths):
        for found in networks_around(network, lengths):
            looked_at.append(found)
            yield found

    monkeypatch.setattr("chatter.chat.moderation.address_bans.networks_around", observed)
    assert addresses.banned_until("10.38.9.1") == FOREVER
    assert addresses.banned_until("10.40.0.1") is None
    assert looked_at == ["10.38.9.0/24", "10.40.0.0/24"]
    swept = Mock(side_effect=addresses._now)
    monkeypatch.setattr(addresses, "_now", swept)
    for number in range(100):
        addresses.set(f"11.0.{number}.0/24", FOREVER)
    assert not swept.called


def test_bans_that_have_ended_take_no_memory(chat, clock):
    """They are forgotten once there are twice as many as the last sweep left."""
    ban(chat, "10.0.0.1", 60)
    ban(chat, "10.0.0.2", 600)
    clock.advance(60)
    ban(chat, "10.0.0.3")
    known = core_of(chat).standings.addresses.until
    assert sorted(known) == ["10.0.0.2/32", "10.0.0.3/32"]
