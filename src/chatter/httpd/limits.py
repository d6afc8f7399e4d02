"""How much a client may use of the server, and for how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a connection may use before it is rejected or closed.

    :ivar connections: the most open connections, beyond which newcomers wait; 0 is as
        many as the limit of open files allows.
    :ivar uri: the longest request target, in bytes; a longer one gets 414.
    :ivar segments: the most parts of a path, between its slashes; more get 414.
    :ivar head: the largest head (target, names and values), in bytes; a larger one
        gets 431.
    :ivar headers: the most headers; more get 431.
    :ivar body: the largest body, in bytes; a larger one gets 413, before it is read.
    :ivar idle: a connection on which no request begins for so many seconds is closed.
    :ivar idle_when_full: the same while all connections are in use, and newcomers wait.
    :ivar receive: a request that has not arrived whole after so many seconds gets 408.
    :ivar stall: a connection that takes less than 64 KiB in so many seconds while
        there is more to send is cut off.
    :ivar waiting: the most bytes that may wait to be sent, or have come of requests that can't be
        processed yet, on all connections together; beyond it, those are cut off that have
        taken nothing for longest, and the oldest requests that have not come whole get 503.
    :ivar linger: for so many seconds a rejected client may go on sending.
    """

    connections: int = 0
    uri: int = 8 * 1024
    segments: int = 256
    head: int = 16 * 1024
    headers: int = 100
    body: int = 1024 * 1024
    idle: float = 60
    idle_when_full: float = 5
    receive: float = 60
    stall: float = 60
    waiting: int = 64 * 1024 * 1024
    linger: float = 5
