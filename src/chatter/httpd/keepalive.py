"""Notice peers that vanish without a word, such as a phone that changes networks.

Without this the system waits for about 16 minutes for what it sends to be acknowledged,
and for ever if it sends nothing.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.tcp import Connection

KEEP_ALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""The seconds of silence before the first probe and between two, and how many may fail."""


def notice_lost_peer(transport: Any, seconds: float) -> None:
    """Have the system end a connection whose peer is gone, where it can.

    :param transport: of a connection; also one that is wrapped, as by TLS.
    :param seconds: for so long the peer may acknowledge nothing of what was sent.
    """
    while not isinstance(transport, Connection):
        transport = getattr(transport, "transport", None)
        if transport is None:
            return
    sock: socket.socket = transport.getHandle()
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {**KEEP_ALIVE, "TCP_USER_TIMEOUT": int(seconds * 1000)}
    for name, value in options.items():
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
