"""A pull producer, asked again and again as long as what it produces is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IPullProducer


@implementer(IPushProducer)
class RepeatedPull:
    """Makes a push producer of a pull producer, a piece in each turn of the reactor.

    :param reactor: an ``IReactorTime`` provider.
    """

    def __init__(self, producer: IPullProducer, reactor: Any) -> None:
        self._producer = producer
        self._reactor = reactor
        self._next: IDelayedCall | None = None

    def _pull(self) -> None:
        self._next = self._reactor.callLater(0, self._pull)
        self._producer.resumeProducing()

    def pauseProducing(self) -> None:
        """Ask no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def resumeProducing(self) -> None:
        """Ask from now on."""
        if self._next is None:
            self._next = self._reactor.callLater(0, self._pull)

    def stopProducing(self) -> None:
        """End it: what it produces can't be taken any more."""
        self.pauseProducing()
        self._producer.stopProducing()
