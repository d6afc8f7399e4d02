"""The PROXY header: what is one, in whatever parts it arrives, and who is believed."""

from __future__ import annotations

import struct

import pytest
from twisted.internet.address import IPv4Address, IPv6Address

from chatter.httpd.proxy_header import parse_header

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def binary(kind, family, body):
    return SIGNATURE + struct.pack("!BBH", kind, family, len(body)) + body


TCP4 = bytes([192, 0, 2, 7, 192, 0, 2, 8]) + struct.pack("!2H", 5555, 80)
TCP6 = bytes(15) + b"\x01" + bytes(15) + b"\x02" + struct.pack("!2H", 5555, 80)
V4 = IPv4Address("TCP", "192.0.2.7", 5555), IPv4Address("TCP", "192.0.2.8", 80)
V6 = IPv6Address("TCP", "::1", 5555), IPv6Address("TCP", "::2", 80)
UNKNOWN = None, None

HEADERS = [
    (b"PROXY TCP4 192.0.2.7 192.0.2.8 5555 80\r\n", V4),
    (b"PROXY TCP6 ::1 ::2 5555 80\r\n", V6),
    (b"PROXY UNKNOWN\r\n", UNKNOWN),
    (b"PROXY UNKNOWN ffff:: ffff:: 65535 65535\r\n", UNKNOWN),
    (binary(0x21, 0x11, TCP4), V4),
    (binary(0x21, 0x11, TCP4 + b"\x04\x00\x01x"), V4),
    (binary(0x21, 0x21, TCP6), V6),
    (binary(0x20, 0x00, b""), UNKNOWN),
    (binary(0x20, 0x11, TCP4), UNKNOWN),
    (binary(0x21, 0x00, b""), UNKNOWN),
    (binary(0x21, 0x31, bytes(216)), UNKNOWN),
]


@pytest.mark.parametrize(("header", "addresses"), HEADERS)
def test_what_a_header_says(header, addresses):
    """It is parsed once it is whole; what follows it is not its own."""
    for end in range(len(header)):
        assert parse_header(header[:end]) is None
    for rest in (b"", b"GET / HTTP/1.1\r\n"):
        parsed = parse_header(header + rest)
        assert parsed is not None
        assert (parsed.size, parsed.peer, parsed.host) == (len(header), *addresses)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"PROXX",
        b"PROXY TCP4 evil<script> 192.0.2.8 5555 80\r\n",
        b"PROXY TCP4 ::1 ::2 5555 80\r\n",
        b"PROXY TCP6 192.0.2.7 192.0.2.8 5555 80\r\n",
        b"PROXY TCP5 192.0.2.7 192.0.2.8 5555 80\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.8 5555\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.8 -1 80\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.8 65536 80\r\n",
        b"PROXY TCP4  192.0.2.7 192.0.2.8 1 80\r\n",
        b"PROXY \r\n",
        b"PROXY " + b"x" * 200,
        binary(0x11, 0x11, TCP4),
        binary(0x22, 0x11, TCP4),
        binary(0x21, 0x41, TCP4),
        binary(0x21, 0x21, TCP4),
        SIGNATURE[:5] + b"x",
    ],
)
def test_what_is_no_header(data):
    """It is refused, and nothing of it is taken for an address."""
    with pytest.raises(ValueError, match=r"."):
        parse_header(data)
