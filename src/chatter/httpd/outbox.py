"""What is written in one turn of the reactor, and leaves when it ends.

The kernel's network code and Python both need the processor's caches, and switching between
them for each request finds the caches cold.  So all sockets that are ready are read first, then
the requests are processed, and then the responses are sent.  With few clients this would only
make them wait for each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from twisted.logger import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall


class GatheringOutput(Protocol):
    """An output that holds bytes back until the turn ends."""

    def send_gathered(self) -> None:
        """Send them now."""


class Outbox:
    """The outputs that have something to send when this turn ends.

    :param reactor: an ``IReactorTime`` provider.

    :ivar gathers: whether so many send requests that what is written should wait for that.
    """

    _log = Logger()

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._outputs: list[GatheringOutput] = []
        self._end_of_turn: IDelayedCall | None = None
        self.gathers = False

    def add(self, output: GatheringOutput) -> None:
        """Have an output send then."""
        if self._end_of_turn is None:
            self._end_of_turn = self._reactor.callLater(0, self._send)
        self._outputs.append(output)

    def _send(self) -> None:
        self._end_of_turn = None
        outputs, self._outputs = self._outputs, []
        for output in outputs:
            try:
                output.send_gathered()
            except BaseException:  # noqa: BLE001 - the others have something to send, too
                self._log.failure("A response could not be sent.")

    def end(self) -> None:
        """Give up the timer, if nothing has to be sent any more."""
        if self._end_of_turn is not None:
            self._end_of_turn.cancel()
            self._end_of_turn = None
        self._outputs = []
