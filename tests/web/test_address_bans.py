"""Bans of addresses: whoever comes from there is not served, with whichever user."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from chatter.chat.chat import core_of
from chatter.chat.limits.rate_limits import NO_LIMITS
from chatter.protocol.errors import InvalidRequest
from chatter.protocol.model import User
from chatter.web import ChatResource
from chatter.web.site import ChatSite
from tests.results import result_of
from tests.web.conftest import Web


@pytest.fixture
def web(chat, clock):
    """The chat behind a proxy that is trusted, whose requests name their clients."""
    resource = ChatResource(chat, limits=NO_LIMITS, trust=["192.168.1.1"])
    return Web(ChatSite(resource, clock))


def call(web, address, method="POST", path="/connect", token=None, body=None):
    headers = (
        {"X-Forwarded-For": address}
        if token is None
        else {
            "X-Forwarded-For": address,
            "Authorization": token,
        }
    )
    return web.call(method, path, None, body, headers)


def ban(chat, network, seconds=None):
    result_of(chat.moderation.ban_address(network, seconds, "spam"))


def follow(web, address, token, path="/events"):
    """An open stream, or a poll that waits; what it says so far."""
    protocol, transport = web.connect()
    head = f"Host: a\r\nX-Forwarded-For: {address}\r\nAuthorization: {token}\r\n\r\n"
    protocol.dataReceived(f"GET {path} HTTP/1.1\r\n{head}".encode())
    return transport


def test_what_is_open_from_there_ends(web, chat, clock):
    """The streams at once; a poll that waits gets the error instead of what comes."""
    addresses = ("10.1.2.3", "10.1.2.4", "11.1.2.3")
    tokens = [call(web, address).json["token"] for address in addresses]
    streams = [follow(web, *each) for each in zip(addresses, tokens, strict=True)]
    poll = follow(web, "10.1.2.3", tokens[0], "/status?after=0&wait=60")
    ban(chat, "10.0.0.0/8")
    assert [stream.disconnecting for stream in streams] == [True, True, False]
    web.call("POST", "/send", tokens[2], {"text": "hi"})
    clock.advance(0)
    assert b" 403 " in poll.value()


def test_a_ban_counts_while_a_user_is_looked_for(chat, clock):
    """Else a stream would begin after the ban, and go on."""
    found: Deferred[User] = Deferred()
    resource = ChatResource(chat, lambda _: found, limits=NO_LIMITS, trust=["192.168.1.1"])
    stream = follow(Web(ChatSite(resource, clock)), "10.1.2.3", "any")
    ban(chat, "10.0.0.0/8")
    found.callback(result_of(chat.join("alice")))
    assert b" 403 " in stream.value()


def test_nobody_joins_from_a_banned_network(web, chat, clock):
    """Until it is over; those from elsewhere do."""
    ban(chat, "10.0.0.0/8", 60)
    refused = call(web, "10.1.2.3")
    assert (refused.status, refused.problem) == (403, "banned")
    assert "address" in refused.json["detail"]
    assert call(web, "11.1.2.3").status == 200
    clock.advance(60)
    assert call(web, "10.1.2.3").status == 200


def test_a_user_is_not_served_from_there(web, chat):
    """Also one whose token is known; from elsewhere they are, and once the ban has ended."""
    token = call(web, "10.1.2.3").json["token"]
    send = {"path": "/send", "token": token, "body": {"text": "a"}}
    assert call(web, "10.1.2.3", **send).status == 200
    ban(chat, "10.1.2.3")
    assert call(web, "10.1.2.3", **send).problem == "banned"
    assert call(web, "10.1.2.3", "GET", "/chats", token).problem == "banned"
    assert call(web, "10.1.2.3", "GET", "/events", token).problem == "banned"
    assert call(web, "10.1.2.4", **send).status == 200
    assert call(web, "10.1.2.3", "GET", "/health").status == 200
    result_of(chat.moderation.unban_address("10.1.2.3"))
    assert call(web, "10.1.2.3", **send).status == 200


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        ("2001:db8::/64", "2001:db8::1", "2001:db8:0:1::1"),
        ("10.0.0.7", "10.0.0.7", "10.0.0.8"),
        ("10.0.0.7/30", "10.0.0.5", "10.0.0.8"),
        ("::ffff:10.0.0.7", "10.0.0.7", "10.0.0.8"),
        ("::ffff:10.0.0.0/104", "::ffff:10.1.2.3", "11.0.0.0"),
        ("::/0", "2001:db8::1", "10.0.0.7"),
        ("fe80::1%eth0", "fe80::1", "fe80::2"),
    ],
)
def test_networks_of_both_kinds(web, chat, network, inside, outside):
    """IPv4 and IPv6; what is no address, such as a UNIX socket, is never banned."""
    ban(chat, network)
    assert call(web, inside).status == 403
    assert call(web, outside).status == 200
    core_of(chat).standings.addresses.check("unix")


def test_what_is_not_banned_is_not_unbanned(chat):
    """A part of a network that is banned stays so; the error names that network."""
    ban(chat, "10.0.0.0/8")
    for network, hint in ("10.1.2.3", "part of 10.0.0.0/8, which is"), ("11.0.0.0/8", "banned"):
        with pytest.raises(InvalidRequest) as refused:
            result_of(chat.moderation.unban_address(network))
        assert refused.value.detail.endswith(f" {hint}.")
    (banned,) = result_of(chat.moderation.banned_addresses())
    assert banned.network == "10.0.0.0/8"


@pytest.mark.parametrize("network", ["", "localhost", "10.0.0", "10.0.0.0/33", "unix", "a" * 100])
def test_what_is_no_network_is_refused(chat, network):
    """It says what is expected."""
    with pytest.raises(InvalidRequest, match=r"10\.0\.0\.0/8"):
        result_of(chat.moderation.ban_address(network))


def test_bans_are_listed_while_they_last(chat, clock):
    """In their usual form."""
    ban(chat, "10.0.0.1/24", 60)
    ban(chat, "10.0.1.0/24")
    ban(chat, "fe80::1%eth0/64")
    found = [banned.network for banned in result_of(chat.moderation.banned_addresses())]
    assert found == ["10.0.0.0/24", "10.0.1.0/24", "fe80::/64"]
    clock.advance(60)
    found = [banned.network for banned in result_of(chat.moderation.banned_addresses())]
    assert found == ["10.0.1.0/24", "fe80::/64"]


def test_bans_are_in_force_after_a_restart(web, chat):
    """Before the first request is served."""
    ban(chat, "10.0.0.0/8")
    result_of(chat.stopService())
    result_of(chat.startService())
    assert core_of(chat).standings.addresses.until == {}
    assert call(web, "10.1.2.3").problem == "banned"


def test_a_ban_that_was_lost_counts_no_more(chat):
    """The bans are read anew when the end of the log was lost, and there may be none left."""
    ban(chat, "10.0.0.0/8")
    addresses = core_of(chat).standings.addresses
    assert addresses.banned_until("10.1.2.3") is not None
    addresses.learn(())
    assert addresses.banned_until("10.1.2.3") is None


def test_a_forged_header_beside_that_of_the_proxy_helps_nobody(web, chat):
    """A proxy that sets one of the two headers passes on what its client has in the other."""
    ban(chat, "10.0.0.0/8")
    headers = {"X-Forwarded-For": "10.1.2.3", "Forwarded": "for=11.1.2.3"}
    assert web.call("POST", "/connect", headers=headers).status == 403
    headers = {"X-Forwarded-For": "10.1.2.3", "Forwarded": "for=nonsense"}
    assert web.call("POST", "/connect", headers=headers).status == 403


def test_who_is_banned_after_joining_does_not_join_again(web, chat):
    """Also not by repeating the request that has joined."""
    headers = {"Idempotency-Key": "0123456789abcdefghijkl"}
    joined = web.call("POST", "/connect", body={"name": "bob"}, headers=headers)
    assert joined.status == 200
    result_of(chat.moderation.moderate(None, joined.json["user_id"], "ban"))
    repeated = web.call("POST", "/connect", body={"name": "bob"}, headers=headers)
    assert (repeated.status, repeated.problem) == (403, "banned")


def test_listeners_hear_nothing_of_addresses(chat):
    """An address is for the operator only."""
    heard: list[object] = []
    chat.add_change_listener(heard.append)
    ban(chat, "10.0.0.0/8")
    assert heard == []
