"""The address of a client: of its connection, or as a trusted proxy tells it."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.web.http_headers import Headers

from chatter.chat.limits.rate_limits import NO_LIMITS, RateLimits
from chatter.chat.rates import Rate
from chatter.testing import memory_chat
from chatter.web import ChatResource
from chatter.web.addresses import Addresses, bucket_of
from chatter.web.site import ChatSite
from tests.web.conftest import Web

TRUST = ("10.0.0.0/8", "2001:db8:1::/48", "unix")
PROXY = IPv4Address("TCP", "10.0.0.1", 4711)
OTHER = IPv4Address("TCP", "198.51.100.1", 4711)


class FakeRequest:
    """What is looked at of a request."""

    def __init__(self, peer, **headers):
        self._peer = peer
        self.requestHeaders = Headers()
        for name, values in headers.items():
            lines = [values] if isinstance(values, str) else values
            self.requestHeaders.setRawHeaders(name.replace("_", "-"), lines)

    def getClientAddress(self):
        return self._peer

    def getHeader(self, name):
        return (self.requestHeaders.getRawHeaders(name) or [None])[-1]


def request_of(*arguments: Any, **headers: Any) -> Any:
    return FakeRequest(*arguments, **headers)


@pytest.mark.parametrize(
    ("peer", "header", "address"),
    [
        (PROXY, {}, "10.0.0.1"),
        (OTHER, {}, "198.51.100.1"),
        (UNIXAddress(None), {}, "unix"),
        # It is read from the right, to the first that is not trusted.
        (PROXY, {"X_Forwarded_For": "192.0.2.7"}, "192.0.2.7"),
        (PROXY, {"X_Forwarded_For": "1.2.3.4, 192.0.2.7"}, "192.0.2.7"),
        (PROXY, {"X_Forwarded_For": "1.2.3.4, 192.0.2.7, 10.9.9.9"}, "192.0.2.7"),
        (PROXY, {"X_Forwarded_For": ["1.2.3.4", "192.0.2.7"]}, "192.0.2.7"),
        (PROXY, {"X_Forwarded_For": "10.1.1.1,10.2.2.2"}, "10.1.1.1"),
        (UNIXAddress(None), {"X_Forwarded_For": "192.0.2.7"}, "192.0.2.7"),
        (IPv6Address("TCP", "::ffff:10.0.0.1", 1), {"X_Forwarded_For": "192.0.2.7"}, "192.0.2.7"),
        (IPv6Address("TCP", "2001:db8:1::5", 1), {"X_Forwarded_For": "192.0.2.7"}, "192.0.2.7"),
        # Who is not trusted is not believed.
        (OTHER, {"X_Forwarded_For": "192.0.2.7"}, "198.51.100.1"),
        (OTHER, {"Forwarded": "for=192.0.2.7"}, "198.51.100.1"),
        # Other forms of addresses.
        (PROXY, {"X_Forwarded_For": "192.0.2.7:4711"}, "192.0.2.7"),
        (PROXY, {"X_Forwarded_For": "[2001:db8::7]:4711"}, "2001:db8::7"),
        (PROXY, {"X_Forwarded_For": "2001:DB8::7"}, "2001:db8::7"),
        (PROXY, {"X_Forwarded_For": "::ffff:192.0.2.7"}, "192.0.2.7"),
        # What is no address is the end of what is known.
        (PROXY, {"X_Forwarded_For": "unknown"}, "10.0.0.1"),
        (PROXY, {"X_Forwarded_For": ""}, "10.0.0.1"),
        (PROXY, {"X_Forwarded_For": "192.0.2.7, evil<script>"}, "10.0.0.1"),
        (PROXY, {"X_Forwarded_For": "192.0.2.7, evil<script>, 10.3.3.3"}, "10.3.3.3"),
        (PROXY, {"Forwarded": "for=192.0.2.7;proto=https;by=10.0.0.1"}, "192.0.2.7"),
        (PROXY, {"Forwarded": 'by=x;FOR="[2001:db8::7]:80"'}, "2001:db8::7"),
        (PROXY, {"Forwarded": 'for=1.2.3.4;host=", for=192.0.2.7'}, "192.0.2.7"),
        # What a proxy quotes comes from its client, and so does what stands before its element.
        (PROXY, {"Forwarded": 'host="a;for=1.2.3.4";for=192.0.2.7'}, "192.0.2.7"),
        (PROXY, {"Forwarded": 'for=192.0.2.7;host="a;for=1.2.3.4"'}, "192.0.2.7"),
        (PROXY, {"Forwarded": 'for=192.0.2.7;host="a, for=1.2.3.4"'}, "192.0.2.7"),
        (PROXY, {"Forwarded": r'host="\\\", for=1.2.3.4;";for=192.0.2.7'}, "192.0.2.7"),
        (PROXY, {"Forwarded": r'for=192.0.2.7;host="\";for=1.2.3.4\\"'}, "192.0.2.7"),
        (PROXY, {"Forwarded": 'for=1.2.3.4;host=", for="192.0.2.7:80"'}, "192.0.2.7"),
        (PROXY, {"Forwarded": ['for="1.2.3.4', 'for="[2001:db8::7]:80";by=x']}, "2001:db8::7"),
        (PROXY, {"Forwarded": "for=192.0.2.7;host=a;for=1.2.3.4"}, "192.0.2.7"),
        (PROXY, {"Forwarded": "for=_hidden"}, "10.0.0.1"),
        (PROXY, {"Forwarded": "proto=https"}, "10.0.0.1"),
        # One of the two may be the client's own, which the proxy passed on.
        (PROXY, {"Forwarded": "for=1.2.3.4", "X_Forwarded_For": "192.0.2.7"}, "10.0.0.1"),
        (PROXY, {"Forwarded": "for=192.0.2.7", "X_Forwarded_For": "192.0.2.7"}, "192.0.2.7"),
        # Nobody is behind so many proxies.
        (PROXY, {"X_Forwarded_For": "192.0.2.7" + ", 10.0.0.2" * 2000}, "10.0.0.2"),
        (PROXY, {"Forwarded": "for=192.0.2.7" + ", for=10.0.0.2" * 15}, "192.0.2.7"),
        (PROXY, {"Forwarded": "for=192.0.2.7" + ", for=10.0.0.2" * 16}, "10.0.0.2"),
        # What is long is read as far as it is known to be a proxy's.
        (PROXY, {"Forwarded": [r"\"" * 7800, "for=192.0.2.7"]}, "192.0.2.7"),
        (PROXY, {"X_Forwarded_For": ["," * 15600, "192.0.2.7"]}, "192.0.2.7"),
        (PROXY, {"Forwarded": f'for=192.0.2.7;host="{"a" * 4096}"'}, "10.0.0.1"),
        (PROXY, {"Forwarded": f'host="{"a" * 999}for=1.2.3.4:{"a" * 4083}"'}, "10.0.0.1"),
        (PROXY, {"Forwarded": f'host="{"a" * 999}, for=1.2.3.4;x={"a" * 4078}"'}, "10.0.0.1"),
        (PROXY, {"X_Forwarded_For": "1" * 4090 + "1.2.3.4"}, "10.0.0.1"),
        (PROXY, {"Forwarded": "for=192.0.2.7" + ";a=b" * 15}, "192.0.2.7"),
        (PROXY, {"Forwarded": "for=192.0.2.7;host=a;for=1.2.3.4" + ";a=b" * 14}, "10.0.0.1"),
    ],
)
def test_the_address_of_a_client(peer, header, address):
    """The connection's, or the first from the right of those that trusted proxies name."""
    assert Addresses(TRUST).of(request_of(peer, **header)) == address


@pytest.mark.parametrize(
    "junk", [r"\"", '"', "\\", ",", ";", '";', "for=10.0.0.2;", "for=10.0.0.2,"]
)
def test_a_long_list_costs_little(junk):
    """A proxy may pass on what its client has in the header, with each request."""
    addresses = Addresses(TRUST)
    request = request_of(PROXY, Forwarded=[junk * (15600 // len(junk)), "for=10.0.0.3"])
    calls = 0

    def count(*_):
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        addresses.bucket_of(request)
        addresses.all_of(request)
        addresses.of(request)
    finally:
        sys.setprofile(None)
    assert calls < 2000


def test_an_address_of_ipv6_counts_as_its_network():
    """A host has 64 bits to choose from."""
    assert bucket_of("2001:db8::1") == bucket_of("2001:db8::ffff:2") != bucket_of("2001:db8:0:1::1")
    assert bucket_of("192.0.2.7") == "192.0.2.7"
    assert bucket_of("fe80::1%eth0") == bucket_of("fe80::2")
    assert bucket_of("unix") == "unix"


def test_a_proxy_may_be_written_as_ipv6():
    """It is the same one, as it is when it connects."""
    assert Addresses(["::ffff:10.0.0.0/104"]).trusts(PROXY)
    assert not Addresses(["::ffff:10.0.0.0/104"]).trusts(OTHER)


@pytest.mark.parametrize("trust", [["10.0.0.0/33"], ["localhost"], [""], ["10.0.0"], ["unix:"]])
def test_what_is_no_proxy_is_refused(trust):
    """The error says what is expected."""
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/8"):
        Addresses(trust)


def test_one_string_is_refused():
    """It would be taken for a list of characters."""
    with pytest.raises(TypeError, match=re.escape("trust=['10.0.0.1']")):
        Addresses("10.0.0.1")


def test_that_a_proxy_is_not_trusted_is_logged_once():
    """The line names the option and the peer."""
    addresses = Addresses()
    with capturedLogs() as logged:
        addresses.bucket_of(request_of(OTHER))
        for _ in range(3):
            addresses.bucket_of(request_of(PROXY, X_Forwarded_For="192.0.2.7"))
    (event,) = logged
    text = event["log_format"].format(**event)
    assert "--trust" in text
    assert "10.0.0.1" in text


def web_with(limits, trust, access_log=None):
    clock = Clock()
    resource = ChatResource(memory_chat(clock), limits=limits, trust=trust)
    return Web(ChatSite(resource, clock, access_log, limits=limits, trust=trust))


def test_that_a_proxy_is_not_trusted_is_logged_without_limits_too():
    """Bans and the access log have its address as well."""
    web = web_with(NO_LIMITS, [])
    with capturedLogs() as logged:
        web.call("POST", "/connect", headers={"X-Forwarded-For": "192.0.2.7"})
    assert ["--trust" in event["log_format"] for event in logged] == [True]


def test_the_access_log_has_the_address_that_a_trusted_proxy_tells(tmp_path):
    """And that of the connection otherwise."""
    for number, trust in enumerate((["192.168.1.1"], [])):
        path = tmp_path / str(number)
        web = web_with(NO_LIMITS, trust, str(path))
        web.site.startFactory()
        web.call("GET", "/health", headers={"X-Forwarded-For": "192.0.2.7"})
        address = "192.0.2.7" if trust else "192.168.1.1"
        assert path.read_text().startswith(f'"{address}" - - [')
        web.site.stopFactory()


def test_connections_of_an_address_are_limited():
    """They are closed at once, and a line says so once; those of a trusted proxy are not."""
    web = web_with(RateLimits(connection=Rate(3, 60)), ["10.0.0.0/8"])
    build = web.site.buildProtocol
    with capturedLogs() as logged:
        made = [type(build(OTHER)).__name__ for _ in range(5)]
    assert made == ["LeanChannel"] * 3 + ["RefusedConnection"] * 2
    (event,) = logged
    assert event["log_format"].format(**event).startswith("198.51.100.1 makes too many")
    assert "--trust" in event["log_format"]
    assert [type(build(PROXY)).__name__ for _ in range(5)] == ["LeanChannel"] * 5
    assert [type(build(UNIXAddress(None))).__name__ for _ in range(5)] == ["LeanChannel"] * 5
