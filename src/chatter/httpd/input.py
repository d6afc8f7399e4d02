"""Bytes in: many sockets watched as one.

The reactor does some two hundred steps of Python for each socket that has something to
be read, before and after the reading, and that is a tenth of what an answer costs.  So it
is given one descriptor that stands for all of them: an epoll can itself be waited for
(`epoll(7) <https://man7.org/linux/man-pages/man7/epoll.7.html>`_).  Where there is none,
and for what is no plain socket, the reactor watches each by itself as ever.
"""

from __future__ import annotations

import select
from contextlib import suppress
from typing import Any

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor, ISSLTransport
from twisted.internet.tcp import Connection
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

_AT_ONCE = 32
"""So many sockets are read before others have their turn in the reactor."""


@implementer(IReadDescriptor)
class WatchedSockets:
    """Reads from whichever of some connections has something to be read.

    All of them must be of one reactor.
    """

    _log = Logger()

    def __init__(self) -> None:
        self._transports: dict[int, Connection] = {}
        self._epoll: select.epoll | None = None
        self._reactor: Any = None

    def can_watch(self, transport: Any) -> bool:
        """Whether a transport is one that can be watched here."""
        return (
            isinstance(transport, Connection)
            and not ISSLTransport.providedBy(transport)
            and hasattr(select, "epoll")
            and IReactorFDSet.providedBy(transport.reactor)
            and self._reactor in (None, transport.reactor)
        )

    def watch(self, descriptor: int, transport: Connection) -> None:
        """Read from a connection when there is something."""
        if self._epoll is None:
            self._epoll = select.epoll()
            self._reactor = transport.reactor
            self._reactor.addReader(self)
        self._transports[descriptor] = transport
        self._epoll.register(descriptor, select.EPOLLIN)

    def unwatch(self, descriptor: int) -> None:
        """Read from it no more."""
        if self._transports.pop(descriptor, None) is None:
            return
        assert self._epoll is not None
        with suppress(OSError):  # of one that is closed
            self._epoll.unregister(descriptor)

    def end(self) -> None:
        """Give the epoll back, if nothing is watched."""
        if self._epoll is not None and not self._transports:
            self._reactor.removeReader(self)
            self._epoll.close()
            self._epoll = self._reactor = None

    # As the reactor sees it

    def fileno(self) -> int:
        """The descriptor of the epoll."""
        return -1 if self._epoll is None else self._epoll.fileno()

    def logPrefix(self) -> str:
        """What stands in a log."""
        return type(self).__name__

    def doRead(self) -> None:
        """Read from those that have something."""
        assert self._epoll is not None
        transports = self._transports
        for descriptor, _ in self._epoll.poll(0, _AT_ONCE):
            transport = transports.get(descriptor)
            if transport is None:
                # Who was read from before it has ended it.
                continue
            if transport.disconnecting:
                # It is being closed, and Twisted reads no more then.
                self.unwatch(descriptor)
                continue
            try:
                why = transport.doRead()
            except Exception:  # noqa: BLE001 - the others are to be read from
                self._log.failure("What came over a connection could not be taken.")
                transport.connectionLost(Failure())
            else:
                if why is not None:
                    transport.readConnectionLost(Failure(why))

    def connectionLost(self, reason: Failure) -> None:
        """End all of them, for the reactor ends."""
        for transport in tuple(self._transports.values()):
            transport.connectionLost(reason)


class SocketInput:
    """The reading of one connection, together with others.

    :param transport: one that ``sockets`` can watch.
    """

    __slots__ = ("_descriptor", "_paused", "_sockets", "_transport")

    def __init__(self, transport: Connection, sockets: WatchedSockets) -> None:
        self._descriptor = transport.fileno()
        self._paused = True
        self._sockets = sockets
        self._transport = transport
        transport.stopReading()
        self.resume()

    def pause(self) -> None:
        """Read nothing until told to."""
        if not self._paused:
            self._paused = True
            self._sockets.unwatch(self._descriptor)

    def resume(self) -> None:
        """Read again, if paused."""
        if self._paused:
            self._paused = False
            self._sockets.watch(self._descriptor, self._transport)

    def lost(self) -> None:
        """Read no more: the connection is lost."""
        self.pause()


class TransportInput:
    """The reading of a connection that Twisted reads from."""

    __slots__ = ("_paused", "_transport")

    def __init__(self, transport: Any) -> None:
        self._paused = False
        self._transport = transport

    def pause(self) -> None:
        """Read nothing until told to."""
        if not self._paused:
            self._paused = True
            self._transport.pauseProducing()

    def resume(self) -> None:
        """Read again, if paused."""
        if self._paused:
            self._paused = False
            self._transport.resumeProducing()

    def lost(self) -> None:
        """Do nothing: Twisted reads no more from a connection that is lost."""


def input_for(transport: Any, sockets: WatchedSockets) -> SocketInput | TransportInput:
    """The input that fits a transport."""
    if sockets.can_watch(transport):
        return SocketInput(transport, sockets)
    return TransportInput(transport)
