"""Where an event stream is written to: a connection, a request of any server, or nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from chatter.web.responses import cut_off

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall
    from twisted.web.server import Request

    from chatter.httpd.stream import StreamOwner

STALL = 60.0
"""For so many seconds a subscriber may take nothing while much is left to be sent."""


class Sink(Protocol):
    """What a stream is written to."""

    @property
    def paused(self) -> bool:
        """Whether something is left to be sent; nothing must be written then."""

    @property
    def send(self) -> Callable[[bytes], int]:
        """Sends bytes as far as they are taken now, and returns how many were.

        It may raise ``OSError`` if none were.
        """

    def keep_rest(self, data: bytes, sent: int) -> None:
        """Send later what was not taken of some bytes."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def close(self) -> None:
        """End the response once all has been sent."""

    def abort(self) -> None:
        """Close the connection at once, whatever is left to be sent."""


class _NoSink:
    """Where a stream writes to before it has begun, and after it was lost: nowhere."""

    paused = True

    def send(self, data: bytes) -> int:
        """Take all."""
        return len(data)

    def keep_rest(self, data: bytes, sent: int) -> None:
        """Do nothing."""

    def write(self, data: bytes) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def abort(self) -> None:
        """Do nothing."""


NO_SINK = _NoSink()


@implementer(IPushProducer)
class RequestSink:
    """Writes to a request of any server, where nothing better is to be had.

    :param clock: an ``IReactorTime`` provider.

    :ivar paused: whether much is left to be sent.
    """

    __slots__ = ("_clock", "_request", "_stream", "_too_late", "paused")

    def __init__(self, request: Request, stream: StreamOwner, clock: Any) -> None:
        self.paused = False
        self._request: Request | None = request
        self._stream = stream
        self._clock = clock
        self._too_late: IDelayedCall | None = None
        request.notifyFinish().addBoth(self._end)
        request.registerProducer(self, True)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if self._request is not None:
            self._request.write(data)

    def send(self, data: bytes) -> int:
        """Send bytes; all of them are taken."""
        self.write(data)
        return len(data)

    def keep_rest(self, data: bytes, sent: int) -> None:
        """Send what was not taken, which is nothing but if a request failed."""
        self.write(data[sent:])

    def close(self) -> None:
        """End the response."""
        if self._request is not None:
            self._request.unregisterProducer()
            self._request.finish()

    def abort(self) -> None:
        """Let go of a subscriber that takes nothing; Twisted's own server never would."""
        if self._request is not None:
            cut_off(self._request)

    def _end(self, _: object) -> None:
        self._request = None
        self._forgive()
        self._stream.stream_lost()

    def pauseProducing(self) -> None:
        """Hear that much is left, which the subscriber has some time to take."""
        self.paused = True
        self._stream.stream_paused()
        self._forgive()
        self._too_late = self._clock.callLater(STALL, self.abort)

    def resumeProducing(self) -> None:
        """Hear that nothing is left."""
        self.paused = False
        self._forgive()
        self._stream.stream_resumed()

    def _forgive(self) -> None:
        if self._too_late is not None and self._too_late.active():
            self._too_late.cancel()

    def stopProducing(self) -> None:
        """Do nothing: the request reports that its connection is lost."""
