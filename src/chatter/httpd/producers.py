"""What writes a response's body: paused and resumed with the output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IAddress, IDelayedCall, IPullProducer
    from twisted.web.server import Site

    from chatter.httpd.connections import Connections
    from chatter.httpd.output import SocketOutput, TransportOutput


@implementer(IPushProducer)
class RepeatedPull:
    """Makes a push producer of a pull producer, a piece in each turn of the reactor.

    :param consumer: the connection; it is cut off if the producer fails, so that the
        client does not take what it has for the whole.
    """

    _log = Logger()

    def __init__(self, producer: IPullProducer, consumer: ResponseConsumer) -> None:
        self._producer = producer
        self._consumer = consumer
        self._next: IDelayedCall | None = None

    def _pull(self) -> None:
        self._next = self._consumer.connections.reactor.callLater(0, self._pull)
        try:
            self._producer.resumeProducing()
        except Exception:  # noqa: BLE001 - whatever it is, it would be so again and again
            self._log.failure("A producer failed.")
            self.pauseProducing()
            self._consumer.abort()

    def pauseProducing(self) -> None:
        """Pull no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def resumeProducing(self) -> None:
        """Pull from now on."""
        if self._next is None:
            self._next = self._consumer.connections.reactor.callLater(0, self._pull)

    def stopProducing(self) -> None:
        """End it: what it produces can't be taken any more."""
        self.pauseProducing()
        self._producer.stopProducing()


@implementer(IPushProducer)
class OnceSent:
    """Has nothing to produce: it waits until all that was written has been sent.

    :param act: called then; never if the connection is lost before.
    """

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def pauseProducing(self) -> None:
        """Hear that something is left to be sent."""

    def resumeProducing(self) -> None:
        """Hear that nothing is left."""
        self._act()

    def stopProducing(self) -> None:
        """Forget it: the connection is lost."""
        self._act = _do_nothing


def _do_nothing() -> None:
    pass


class ResponseConsumer:
    """The side of a connection that responses are written to.

    :ivar addresses: the client's and the server's, once a request is here; behind a
        proxy they are known late.
    :ivar output: where responses go, once :meth:`write_to` was called.
    :ivar persistent: whether another request may follow.
    """

    __slots__ = (
        "_producer",
        "addresses",
        "connections",
        "output",
        "persistent",
        "site",
        "transport",
    )

    def __init__(self, site: Site, connections: Connections) -> None:
        self.site = site
        self.connections = connections
        self.persistent = True
        self.transport: Any = None
        self.addresses: tuple[IAddress, IAddress] | None = None
        self.output: SocketOutput | TransportOutput
        self._producer: Any = None

    def getPeer(self) -> IAddress:
        """The client's address."""
        return self.learn_addresses()[0]

    def getHost(self) -> IAddress:
        """The server's address."""
        return self.learn_addresses()[1]

    def learn_addresses(self) -> tuple[IAddress, IAddress]:
        """The client's address and the server's."""
        if self.addresses is None:
            transport = self.transport
            self.addresses = (transport.getPeer(), transport.getHost())
        return self.addresses

    def write_to(self, output: SocketOutput | TransportOutput) -> None:
        """Have the responses written to an output."""
        self.output = output

    def write(self, data: bytes) -> None:
        """Send a part of the response under way."""
        self.output.write(data)

    @property
    def has_sent_all(self) -> bool:
        """Whether nothing that was written is left to be sent."""
        return not self.output.paused

    def abort(self) -> None:
        """Cut the connection off."""
        raise NotImplementedError

    def writeSequence(self, parts: list[bytes]) -> None:
        """Send parts of the response under way."""
        self.output.write(b"".join(parts))

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Have a request's producer paused and resumed; at once if that is due.

        :raises RuntimeError: if there is one already.
        """
        if self._producer is not None:
            raise RuntimeError("A producer is registered already.")
        self._producer = producer if streaming else RepeatedPull(producer, self)
        if self.output.paused:
            self._producer.pauseProducing()
        elif not streaming:
            self._producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """Let a request's producer be."""
        producer, self._producer = self._producer, None
        if isinstance(producer, RepeatedPull):
            producer.pauseProducing()

    def pause_producer(self) -> None:
        """Have the producer wait, if there is one."""
        if self._producer is not None:
            self._producer.pauseProducing()

    def resume_producer(self) -> None:
        """Have the producer go on, if there is one."""
        if self._producer is not None:
            self._producer.resumeProducing()

    def stop_producer(self) -> None:
        """Tell the producer, if there is one, that the connection is lost."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.stopProducing()
