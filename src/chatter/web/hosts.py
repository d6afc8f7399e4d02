"""Under which names a chat may be requested (``Host``).

A page of another site can have its own name resolve to the address of a chat that only its
visitor can reach (DNS rebinding).  Then the browser takes the chat for that site, and the
page may read all that it says.  But the requests name the site's host.

So a name must be one of the chat's own.  Addresses are no names that anybody resolves, and
``localhost`` is always this machine; these are good on every machine.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

from twisted.internet.address import UNIXAddress

from chatter.protocol.errors import MisdirectedRequest
from chatter.web.lean import LeanRequest

if TYPE_CHECKING:
    from collections.abc import Collection

    from twisted.web.server import Request

    from chatter.web.addresses import Addresses

_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]")
_PORT = re.compile(r":[0-9]*$")

_MOST_REMEMBERED = 100


class Hosts:
    """The names of one chat.

    :param names: its names, such as ``chat.example.org``; beside them there are addresses
        and the names of this machine.  If there is none, a proxy may forward requests for any
        name: one on a UNIX socket, or one that is trusted.
    :raises TypeError: if it is one string.
    :raises ValueError: if one of them is no name.
    """

    def __init__(self, names: Collection[str], addresses: Addresses) -> None:
        if isinstance(names, str):
            raise TypeError(f"hosts is a collection of strings: write hosts=[{names!r}].")
        for name in names:
            if not _NAME.fullmatch(name):
                raise ValueError(
                    f"{name!r} is no name of a host: write it in ASCII, without scheme and port, "
                    "such as chat.example.org or xn--bcher-kva.example."
                )
        self._names = frozenset(_bare(name) for name in names)
        self._addresses = addresses
        self._known: set[bytes] = set()

    def check(self, request: Request) -> None:
        """See whether a request names the chat.

        :raises MisdirectedRequest: if it names another host.
        """
        if (
            isinstance(request, LeanRequest)
            and request.request_head.note is not None
            and not request.headers_may_differ
        ):
            # The client has sent the very same head before, and it was let through.
            return
        host = request.getHeader(b"host")
        if host in self._known or not host:
            # A browser always names one.
            return
        if self._is_one(_bare(host.decode("latin-1"))):
            if len(self._known) < _MOST_REMEMBERED:
                self._known.add(host)
        elif self._names or not self._is_from_proxy(request):
            raise MisdirectedRequest(
                "The chat is not known under the host of this URL. "
                "Its operator names hosts with --host, and proxies with --trust."
            )

    def _is_from_proxy(self, request: Request) -> bool:
        # No browser reaches a UNIX socket.
        peer = request.getClientAddress()
        return isinstance(request.getHost(), UNIXAddress) or self._addresses.trusts(peer)

    def _is_one(self, name: str) -> bool:
        return name in self._names or _is_of_this_machine(name) or _is_address(name)


def _bare(host: str) -> str:
    """The name in ``Host``, without the port, as it is compared."""
    return _PORT.sub("", host).removesuffix(".").lower()


def _is_of_this_machine(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost")


def _is_address(name: str) -> bool:
    try:
        ip_address(name[1:-1] if name[:1] == "[" else name)
    except ValueError:
        return False
    return True
