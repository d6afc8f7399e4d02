"""The bodies of requests and responses, in bytes."""

# ruff: noqa: N802 - the camelCase names are those of Twisted's interfaces
from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Protocol, connectionDone
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

from chatter.client.errors import UnexpectedResponse

if TYPE_CHECKING:
    from twisted.internet.interfaces import IConsumer
    from twisted.python.failure import Failure
    from twisted.web.iweb import IResponse

PART = 64
"""What a part of a body costs beside its bytes, in bytes: there may be a byte in each."""


def content_of(response: IResponse, largest: int) -> Deferred[bytes]:
    """The whole body; cancelling closes the connection, as does a body that is too large.

    :param largest: how many bytes are read at most.
    """
    reader = _Reader(largest)
    response.deliverBody(reader)
    return reader.finished


def discard(response: IResponse) -> None:
    """Close the connection instead of reading the body."""
    response.deliverBody(_Discarding())


class _Discarding(Protocol):
    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()


class _Reader(Protocol):
    """Collects a body up to the largest size."""

    def __init__(self, largest: int) -> None:
        self.finished: Deferred[bytes] = Deferred(lambda _: self._close())
        self._largest = largest
        self._body = bytearray()
        self._cost = 0

    def dataReceived(self, data: bytes) -> None:
        if self.finished.called:
            return
        self._body += data
        self._cost += len(data) + PART
        if self._cost > self._largest + PART:
            self._body.clear()
            self._close()
            detail = "The response is larger than any of a chat server."
            self.finished.errback(UnexpectedResponse(detail))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.finished.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.finished.callback(bytes(self._body))
        else:
            self.finished.errback(reason)

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()


@implementer(IBodyProducer)
class BytesProducer:
    """A body that is there at once.

    Twisted's own producer would read it piece by piece with the global reactor.
    """

    def __init__(self, body: bytes) -> None:
        self.length = len(body)
        self._body = body

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """Write all of it."""
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None:
        """Do nothing: everything was written already."""

    def resumeProducing(self) -> None:
        """Do nothing: everything was written already."""

    def stopProducing(self) -> None:
        """Do nothing: everything was written already."""
