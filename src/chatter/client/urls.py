"""The URL of a chat server, checked before anything is sent."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from urllib.parse import SplitResult, urlsplit

import idna

_LARGEST_PORT = 65535
_WITHOUT_HIDDEN = str.maketrans("", "", "\xad\u200c\u200d")
"""For the characters that can't be seen, but are in names of hosts: IDNA judges where."""

_IN_BRACKETS = re.compile(r"\[[0-9a-fA-F:.]+\](:.*)?")


def checked_url(url: str) -> str:
    """The URL of a chat server, in the one form that paths can be put behind.

    The host is in ASCII, as DNS knows it.

    :raises ValueError: if it can't be the URL of a chat server; the message is one
        sentence, and does not quote what may be a password.
    """
    if not url.translate(_WITHOUT_HIDDEN).isprintable():
        # Python leaves some of them out: http://one<line break>two would be the host onetwo.
        raise ValueError("The URL has characters that no URL has, such as a line break.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("The URL's host is not valid.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("The URL of a chat server is like http://127.0.0.1:8000.")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("The URL of a chat server has no password, query or fragment.")
    return f"{parts.scheme}://{_host(parts)}{_port(parts)}{parts.path.rstrip('/')}"


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if "[" in parts.netloc:
        # Python takes more between brackets, and behind them, than an address.
        address = host if _IN_BRACKETS.fullmatch(parts.netloc) else ""
        try:
            return f"[{IPv6Address(address)}]"
        except ValueError:
            raise ValueError("The URL's host is not an IPv6 address.") from None
    try:
        ascii_host = idna.encode(host, uts46=True).decode("ascii")
    except UnicodeError:
        raise ValueError(
            "The URL's host can't be the name of a host: such a name has letters, "
            "digits and hyphens, and dots between its parts."
        ) from None
    return ascii_host


def _port(parts: SplitResult) -> str:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port is None:
        return ""
    if not 0 < port <= _LARGEST_PORT:
        raise ValueError(f"The URL's port is not a number from 1 to {_LARGEST_PORT}.")
    return f":{port}"
