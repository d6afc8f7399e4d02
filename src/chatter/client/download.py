"""A body of any length, which a collector gets as it comes.

How long it is only the server knows.  One that falls silent meanwhile, or sends hardly
anything, is given up; one that sends without end is the collector's to stop.
"""

# ruff: noqa: N802 - the camelCase names are those of Twisted's interfaces
from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.web.client import ResponseDone

from chatter.client.failures import SILENCE, error_of_body, fallen_silent

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

LEAST = 1024
"""So many bytes show that the server is there: the slowest network brings them within
:data:`SILENCE`, and a few do not keep a client reading."""


class Download(Protocol):
    """The body of a response.

    :param clock: measures silence.
    :param collector: called with each part of the body.

    :ivar finished: fires when all of the body has come; it fails with
        :class:`chatter.client.errors.NoResponse` if it ends before, and with what the collector
        raises.  Cancelling it closes the connection.
    """

    def __init__(self, clock: IReactorTime, collector: Callable[[bytes], None]) -> None:
        self.finished: Deferred[None] = Deferred(lambda _: self.close())
        self._clock = clock
        self._collector = collector
        self._is_over = False
        self._received = 0
        self._silence: IDelayedCall | None = None

    def close(self) -> None:
        """Read no more, and close the connection."""
        self._end()
        if self.transport is not None:
            self.transport.loseConnection()

    def _end(self) -> None:
        self._is_over = True
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def connectionMade(self) -> None:
        """Begin to wait for the body."""
        self._silence = self._clock.callLater(SILENCE, self._give_up)

    def dataReceived(self, data: bytes) -> None:
        """Give a part of the body to the collector."""
        if self._is_over or self._silence is None:
            return
        self._received += len(data)
        if self._received >= LEAST:
            self._received = 0
            self._silence.reset(SILENCE)
        try:
            self._collector(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets it
            self._fail(error)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """End, well only if the body is whole."""
        if self._is_over:
            return
        if reason.check(ResponseDone):
            self._end()
            self.finished.callback(None)
        else:
            # chatter always says where a body ends: one that ends with its connection was cut off.
            ended = "The server has ended its response before it was whole."
            self._fail(error_of_body(reason, "The response", ended))

    def _give_up(self) -> None:
        self._silence = None
        self._fail(fallen_silent())

    def _fail(self, error: Exception) -> None:
        self.close()
        self.finished.errback(error)
