"""The header that a proxy sends first on each connection (PROXY protocol, versions 1 and 2).

https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt

Twisted has parsers of it, too.  They hang up on ``PROXY UNKNOWN`` and on a header that
arrives in parts, and take anything for an address.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address as IPv4
from ipaddress import IPv6Address as IPv6
from typing import TYPE_CHECKING

from twisted.internet.address import IPv4Address, IPv6Address

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress

_TEXT = b"PROXY "
_LONGEST_TEXT = 107
_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_BINARY_START = 16
_VERSION = 2
_LOCAL, _PROXY = 0, 1
_LARGEST_PORT = 0xFFFF
_FAMILIES: dict[str, type[IPv4 | IPv6]] = {"TCP4": IPv4, "TCP6": IPv6}
_ADDRESSES: dict[int, tuple[str, type[IPv4 | IPv6]]] = {
    1: ("!4s4s2H", IPv4),
    2: ("!16s16s2H", IPv6),
}
_UNIX, _UNSPECIFIED = 3, 0


@dataclass(frozen=True)
class ProxyHeader:
    """What a header says.

    :ivar size: how many bytes it has.
    :ivar peer: the client's address; ``None`` if the proxy speaks for itself, or does not know.
    :ivar host: the address that the client connected to, likewise.
    """

    size: int
    peer: IAddress | None = None
    host: IAddress | None = None


def parse_header(data: bytes) -> ProxyHeader | None:
    """The header at the beginning of what has arrived; ``None`` if it is not yet whole.

    :raises ValueError: if there is none.
    """
    if data.startswith(_TEXT[: len(data)]):
        return _parsed_text(data)
    if data.startswith(_SIGNATURE[: len(data)]):
        return _parsed_binary(data)
    raise ValueError("There is no PROXY header.")


def _parsed_text(data: bytes) -> ProxyHeader | None:
    line, end, _ = data[:_LONGEST_TEXT].partition(b"\r\n")
    if not end:
        if len(data) >= _LONGEST_TEXT:
            raise ValueError("The PROXY header is too long.")
        return None
    size = len(line) + len(end)
    words = line.decode("latin-1").split(" ")
    if words[1] == "UNKNOWN":
        return ProxyHeader(size)
    _, family, source, destination, source_port, destination_port = words
    if family not in _FAMILIES:
        raise ValueError("That is no family of addresses.")
    make = _FAMILIES[family]
    peer = _address(make(source), _port(source_port))
    return ProxyHeader(size, peer, _address(make(destination), _port(destination_port)))


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > _LARGEST_PORT:
        raise ValueError("That is no port.")
    return int(text)


def _parsed_binary(data: bytes) -> ProxyHeader | None:
    if len(data) < _BINARY_START:
        return None
    kind, family, length = struct.unpack_from("!BBH", data, len(_SIGNATURE))
    version, command = divmod(kind, 16)
    if version != _VERSION or command not in (_LOCAL, _PROXY):
        raise ValueError("That is no version 2 of the PROXY header.")
    size = _BINARY_START + length
    if len(data) < size:
        return None
    family >>= 4
    if command == _LOCAL or family in (_UNIX, _UNSPECIFIED):
        return ProxyHeader(size)
    if family not in _ADDRESSES:
        raise ValueError("That is no family of addresses.")
    form, make = _ADDRESSES[family]
    if length < struct.calcsize(form):
        raise ValueError("The PROXY header is too short.")
    source, destination, source_port, destination_port = struct.unpack_from(
        form, data, _BINARY_START
    )
    peer = _address(make(source), source_port)
    return ProxyHeader(size, peer, _address(make(destination), destination_port))


def _address(address: IPv4 | IPv6, port: int) -> IAddress:
    if isinstance(address, IPv4):
        return IPv4Address("TCP", str(address), port)
    return IPv6Address("TCP", str(address), port)
