"""Where to listen, as a string: a port, or one of Twisted's endpoint descriptions.

Four things differ from ``twisted.internet.endpoints.serverFromString``.  A bare
number is a TCP port of the loopback interface.  The backlog is large enough for many
clients that reconnect at once.  A UNIX socket that a killed process left behind does
not stop a start (:mod:`chatter.httpd.unix_sockets`).  And ``haproxy:`` takes what the
protocol allows, and believes only known proxies (:mod:`chatter.httpd.behind_proxy`).
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from twisted.internet.endpoints import serverFromString

from chatter.httpd.behind_proxy import BehindProxyEndpoint
from chatter.httpd.unix_sockets import SoleEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.internet.interfaces import IAddress, IStreamServerEndpoint

_PROXIED = "haproxy:"
_BACKLOG = 1024
_BACKLOG_PLACE = 2
_LARGEST_PORT = 0xFFFF
_FORMS = "write a port (9105), tcp:9105:interface=0.0.0.0 or unix:/run/chatter.sock"

_IPV6 = r"before a colon of an address stands a backslash: tcp:9105:interface=\:\:1"


def _nobody(_: IAddress) -> bool:
    return False


def server_endpoint(
    reactor: Any, description: str, believes: Callable[[IAddress], bool] = _nobody
) -> IStreamServerEndpoint:
    """Make an endpoint of a string.

    :param reactor: the reactor that will listen.
    :param description: ``9105`` for a TCP port on 127.0.0.1, or what Twisted takes,
        such as ``tcp:9105:interface=0.0.0.0`` or ``unix:/run/chatter.sock``.
    :param believes: which peers of a ``haproxy:`` endpoint are proxies whose word is taken.
    :raises ValueError: if it is neither; the text says which forms there are.
    """
    if re.fullmatch("[0-9]+", description):
        description = f"tcp:{description}:interface=127.0.0.1"
    if description.startswith(_PROXIED):
        inner = server_endpoint(reactor, description.removeprefix(_PROXIED))
        return BehindProxyEndpoint(inner, believes)
    # A colon within an argument has a backslash before it.
    kind, *arguments = re.split(r"(?<!\\):", description)
    positional = [argument for argument in arguments if "=" not in argument]
    named = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    if kind in {"tcp", "tcp6", "ssl"}:
        _check_port(named.get("port", *positional[:1]))
    elif kind == "unix":
        path = named.get("address", *positional[:1])
        if not path:
            raise ValueError(f"a UNIX socket has a path; {_FORMS}.")
        # The lock that this wants is known by a process id, which may be reused.
        arguments = [argument for argument in arguments if not argument.startswith("lockfile=")]
        arguments.append("lockfile=0")
    if kind in {"tcp", "tcp6", "ssl", "unix"}:
        if "backlog" not in named and len(positional) <= _BACKLOG_PLACE:
            arguments.append(f"backlog={_BACKLOG}")
        description = ":".join([kind, *arguments])
    endpoint = _made(reactor, description)
    if kind == "unix":
        return SoleEndpoint(endpoint, re.sub(r"\\(.)", r"\1", path))
    return endpoint


def private_endpoint(reactor: Any, description: str) -> IStreamServerEndpoint:
    """Make an endpoint that only this machine reaches, of a string.

    A UNIX socket has mode 600, so that only its owner can open it, unless the string has another
    mode, which can let in a group.

    :param description: as for :func:`server_endpoint`.
    :raises ValueError: if others could reach it, or it is no endpoint.
    """
    if description.startswith(_PROXIED) or _is_loopback(description) is False:
        raise ValueError(
            "others could reach it, unless it is a UNIX socket or a port of 127.0.0.1; write "
            "unix:/run/chatter/admin.sock, or a number."
        )
    if description.startswith("unix:"):
        mode = re.search(r"(?<!\\):mode=([0-7]+)(?=:|$)", description)
        if mode is None:
            description += ":mode=600"
        elif int(mode[1], 8) & 0o007:
            raise ValueError("with this mode every user of the machine could open it; write 600.")
    return server_endpoint(reactor, description)


def is_only_local(descriptions: Sequence[str]) -> bool:
    """Whether a server listens on loopback addresses, and perhaps on UNIX sockets, only.

    :param descriptions: as for :func:`server_endpoint`.
    """
    reach = [_is_loopback(description) for description in descriptions]
    return any(reach) and False not in reach


def _is_loopback(description: str) -> bool | None:
    """Whether only this machine reaches what listens there; ``None`` for a UNIX socket."""
    if re.fullmatch("[0-9]+", description):
        return True
    kind, *arguments = re.split(r"(?<!\\):", description.removeprefix(_PROXIED))
    if kind == "unix":
        return None
    interface = next((a[10:] for a in arguments if a.startswith("interface=")), "")
    try:
        return ip_address(interface.replace("\\", "")).is_loopback
    except ValueError:
        return interface == "localhost"


def _check_port(port: str | None) -> None:
    if port is None or not re.fullmatch("[0-9]+", port) or int(port) > _LARGEST_PORT:
        raise ValueError(f"a port is a number from 0 to {_LARGEST_PORT}; {_FORMS}.")


def _made(reactor: Any, description: str) -> IStreamServerEndpoint:
    try:
        endpoint: IStreamServerEndpoint = serverFromString(reactor, description)
    except OSError as error:
        raise ValueError(f"{error.filename} can't be read: {error.strerror}.") from error
    except (TypeError, ValueError) as error:
        forms = _IPV6 if "::" in description else _FORMS
        raise ValueError(f"this is no place to listen; {forms}.") from error
    except Exception as error:
        # It is of OpenSSL.
        raise ValueError("its key or its certificate can't be used.") from error
    return endpoint
