"""Many sockets, which the reactor watches as one.

The reactor does some two hundred steps of Python for each socket that has something to
be read, before and after the reading, and that is a tenth of what a response costs.  So it
is given one descriptor that stands for all of them: an epoll can itself be waited for
(`epoll(7) <https://man7.org/linux/man-pages/man7/epoll.7.html>`_).
"""

from __future__ import annotations

import select
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.internet.tcp import Server
from twisted.internet.unix import Server as UNIXServer
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from chatter.httpd.turns import TURN_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from twisted.internet.interfaces import IDelayedCall, IListeningPort

    from chatter.httpd.admission import Admission
    from chatter.httpd.outbox import Outbox

    Arrival: TypeAlias = tuple["WatchedServer", bytes | Exception]

_AT_ONCE = 32
"""So many sockets are read before others have their turn in the reactor."""

_MANY = 8
"""From so many on, all are read first, and the responses leave together: that is less work
for each, but they wait for each other."""


class WatchedServer(Server):
    """A connection that is read from together with others."""

    # One connection's share of a turn: 16 KiB of chunks or TLS records of one byte take 4 ms,
    # Twisted's 64 KiB took 10.
    bufferSize = 16 * 1024  # noqa: N815 - it is Twisted's name

    def __init__(self, sockets: WatchedSockets, *arguments: Any) -> None:
        self._sockets = sockets
        super().__init__(*arguments)

    def startReading(self) -> None:
        """Read when there is something."""
        self._sockets.watch(self)

    def stopReading(self) -> None:
        """Read no more."""
        self._sockets.unwatch(self)

    def receive(self) -> bytes | Exception:
        """What has come, or why nothing will come any more."""
        try:
            return self.socket.recv(self.bufferSize) or CONNECTION_DONE
        except BlockingIOError:
            return b""
        except OSError:
            return CONNECTION_LOST


class WatchedUNIXServer(WatchedServer, UNIXServer):
    """One on a UNIX socket; the kernel closes descriptors that the peer passes."""


_WATCHED: dict[object, type[WatchedServer]] = {Server: WatchedServer, UNIXServer: WatchedUNIXServer}


@implementer(IReadDescriptor)
class WatchedSockets:
    """Reads from whichever of some connections has something to be read.

    All of them must be of one reactor.

    :param outbox: gathers responses while many sockets are ready.
    :param admission: holds the ports while there are too many connections.
    """

    _log = Logger()

    def __init__(self, outbox: Outbox, admission: Admission) -> None:
        self._outbox = outbox
        self._admission = admission
        self._transports: dict[int, WatchedServer] = {}
        self._epoll: select.epoll | None = None
        self._reactor: Any = None
        # What has come from connections, and could not be handed over yet.
        self._late: list[Arrival] = []
        self._take_late: IDelayedCall | None = None

    def take_over(self, port: IListeningPort) -> None:
        """Watch the connections that a port accepts from now on, if they are sockets.

        Elsewhere than on Linux the reactor goes on to watch each.
        """
        self._admission.add_port(port)
        watched = _WATCHED.get(getattr(port, "transport", None))
        if (
            watched is not None
            and hasattr(select, "epoll")
            and IReactorFDSet.providedBy(port.reactor)  # type: ignore[attr-defined]
        ):
            # It is what Twisted's Port has for that.
            port.transport = partial(watched, self)  # type: ignore[attr-defined]

    def watch(self, transport: WatchedServer) -> None:
        """Read from a connection when there is something."""
        descriptor = transport.fileno()
        if descriptor in self._transports:
            return
        if self._epoll is None:
            self._epoll = select.epoll()
            self._reactor = transport.reactor
            self._reactor.addReader(self)
        self._epoll.register(descriptor, select.EPOLLIN)
        self._transports[descriptor] = transport

    def unwatch(self, transport: WatchedServer) -> None:
        """Read from it no more; it must not be closed yet."""
        if self._transports.pop(transport.fileno(), None) is not None:
            assert self._epoll is not None
            self._epoll.unregister(transport.fileno())

    def end(self) -> None:
        """Give the epoll back, if nothing is watched."""
        if self._epoll is not None and not self._transports:
            self._reactor.removeReader(self)
            self._epoll.close()
            self._epoll = self._reactor = None
            if self._take_late is not None:
                self._take_late.cancel()
                self._take_late = None
                self._late = []

    # As the reactor sees it

    def fileno(self) -> int:
        """The descriptor of the epoll."""
        return -1 if self._epoll is None else self._epoll.fileno()

    def logPrefix(self) -> str:
        """What stands in a log."""
        return type(self).__name__

    def doRead(self) -> None:
        """Read from those that have something, until none has or others have their turn."""
        if self._late:
            # They came first.
            return
        left = _AT_ONCE
        until = monotonic() + TURN_SECONDS
        while left > 0 and self._epoll is not None and monotonic() < until:
            ready = self._epoll.poll(0, left)
            self._outbox.gathers = are_many = len(ready) >= _MANY
            if are_many:
                # All are read from before anything is processed; see the module ``outbox``.
                self._take([*self._read(ready)], until)
                return
            if not ready:
                return
            # The epoll would tell of the same ones first again, if they go on sending.
            self._take(self._read(ready), until)
            # What came meanwhile need not wait for the reactor to go round.
            left -= len(ready)

    def _take(self, received: Iterable[Arrival], until: float) -> None:
        """Hand over what has come; what there is no time for is the first of the next turn."""
        arrivals = iter(received)
        self._hand_over(arrivals, until)
        if self._epoll is None:
            # The last of them has ended.
            return
        self._late = [*arrivals]
        if self._late:
            self._take_late = self._reactor.callLater(0, self._go_on)

    def _go_on(self) -> None:
        self._take_late = None
        # Taken out first: if they end the last connection, what stayed here would keep
        # ``doRead`` from reading for ever.
        late, self._late = self._late, []
        self._take(late, monotonic() + TURN_SECONDS)

    def _hand_over(self, arrivals: Iterator[Arrival], until: float) -> None:
        """Give what has come to the connections that it is for, until time is up."""
        for transport, received in arrivals:
            if transport.disconnecting or transport.disconnected:
                # It was ended by one that came before it.
                continue
            if isinstance(received, bytes):
                try:
                    transport.protocol.dataReceived(received)
                except BaseException as error:  # noqa: BLE001 - the others are to be heard
                    self._log.failure(
                        "What {connection} sent could not be taken.", connection=transport
                    )
                    self._lose(transport, Failure(error))
            else:
                self._lose(transport, Failure(received))
            if monotonic() >= until:
                return

    def _read(self, ready: list[tuple[int, int]]) -> Iterator[Arrival]:
        """What has come from each of those that are ready, one by one."""
        for descriptor, _ in ready:
            transport = self._transports.get(descriptor)
            if transport is None:
                # It was ended by one that came before it.
                continue
            received = transport.receive()
            if received:
                yield transport, received

    def connectionLost(self, reason: Failure) -> None:
        """End all of them, for the reactor ends, or reads no more from this."""
        for transport in tuple(self._transports.values()):
            self._lose(transport, reason)
        self._transports.clear()
        self.end()

    def _lose(self, transport: WatchedServer, reason: Failure) -> None:
        try:
            if reason.check(ConnectionDone):
                transport.readConnectionLost(reason)
            else:
                transport.connectionLost(reason)
        except BaseException:  # noqa: BLE001 - as above
            self._log.failure("The end of {connection} failed.", connection=transport)
