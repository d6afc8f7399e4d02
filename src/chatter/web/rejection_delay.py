"""The delay of rejections: who gets many of them gets each further one later.

A rejection costs as much as another response.  So a client that does not wait for its time
could keep a server busy.  Those that wait do not notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.chat.limits.meters import Meter
from chatter.chat.rates import Rate
from chatter.protocol.errors import Banned, TooManyRequests
from chatter.web.lean import over
from chatter.web.responses import send

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime
    from twisted.web.server import Request

    from chatter.web.addresses import Addresses
    from chatter.web.responses import Response

AT_ONCE = Rate(60, 600)
"""So many rejections an address gets at once in so many seconds."""

PAUSE = 1.0
"""So many seconds later it gets all others."""


class RejectionDelay:
    """Delays the rejections of those who get many.

    :param clock: what delays them.
    """

    def __init__(self, clock: IReactorTime, addresses: Addresses) -> None:
        self._clock = clock
        self._addresses = addresses
        self._meter = Meter(AT_ONCE, clock.seconds)

    def delays(self, request: Request, error: BaseException) -> bool:
        """Whether the response to an error is to be sent by :meth:`send_later`."""
        if not isinstance(error, (TooManyRequests, Banned)):
            return False
        address = self._addresses.bucket_of(request)
        if self._meter.wait(address) > 0:
            return True
        self._meter.count(address)
        return False

    def send_later(self, request: Request, response: Response) -> None:
        """Send a response, if the client is still there then."""
        sending = self._clock.callLater(PAUSE, send, request, response)
        over(request).addErrback(lambda _: sending.cancel())
