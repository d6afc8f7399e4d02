"""The factory: a ``twisted.web`` site whose connections cost little."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger
from twisted.web.http import combinedLogFormatter, datetimeToLogString
from twisted.web.server import Site

from chatter.httpd.channel import LeanChannel
from chatter.httpd.connections import Connections
from chatter.httpd.limits import Limits
from chatter.httpd.log_file import LogFile, append_to
from chatter.httpd.response_heads import ResponseHeads, plain_error_page
from chatter.httpd.watched_sockets import WatchedSockets

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IAddress

    from chatter.httpd.response_heads import ErrorPage


class LeanSite(Site):
    """A ``twisted.web.server.Site`` whose connections cost little.

    :param resource: the root of the resources.
    :param reactor: an ``IReactorTime`` provider.
    :param wall_clock: the time of day for ``Date`` and the access log, in seconds since
        1970; what waits goes by the reactor's own time.
    :param limits: how much a client may use.
    :param access_log: where to write a line for each request; nowhere by default.
    :param error_page: makes the response to a request that is rejected before any resource
        sees it.

    :ivar connections: the open connections, and what they share.
    :ivar sockets: reads from the connections of the ports that it takes over:
        ``site.sockets.take_over(port)``, which makes each request cheaper.
    """

    noisy = False
    _logger = Logger()

    def __init__(
        self,
        resource: Any,
        reactor: Any,
        *,
        wall_clock: Callable[[], float] = time,
        limits: Limits | None = None,
        access_log: str | None = None,
        error_page: ErrorPage = plain_error_page,
    ) -> None:
        super().__init__(resource, logFormatter=self.access_log_line, reactor=reactor)
        self._access_log_path = access_log
        self._access_log: LogFile | None = None
        self._log_is_failing = False
        self._wall_clock = wall_clock
        self.connections = Connections(
            reactor,
            limits or Limits(),
            ResponseHeads(error_page),
            wall_clock,
            self._rest_if_closed,
        )
        self.sockets = WatchedSockets(self.connections.outbox, self.connections.admission)

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ARG002
        """Make a connection."""
        self.connections.expect()
        return LeanChannel(self, self.connections)

    def getResourceFor(self, request: Any) -> Any:
        """Find the resource of a request, as every site does."""
        request.site = self
        request.sitepath = request.prepath[:]
        resource: Any = self.resource
        # It is Twisted's getChildForRequest, without the call.
        while request.postpath and not resource.isLeaf:
            name = request.postpath.pop(0)
            request.prepath.append(name)
            resource = resource.getChildWithDefault(name, request)
        return resource

    def acceptableProtocols(self) -> list[bytes]:
        """The protocols that TLS may agree upon: not HTTP/2."""
        return [b"http/1.1"]

    def startFactory(self) -> None:
        """Open the access log, if there is one.

        :raises OSError: if it can't be opened.
        """
        if self._access_log_path is None:
            return
        path = Path(self._access_log_path).absolute()
        access_log = LogFile(partial(append_to, str(path)))
        super().startFactory()
        self.logFile = self._access_log = access_log

    def stopFactory(self) -> None:
        """Close the access log and cancel all timers, once no connection is left."""
        if not self.connections.open:
            self._rest()

    def log(self, request: Any) -> None:
        """Write to the access log, if there is one."""
        if self._access_log is None:
            return
        try:
            super().log(request)
        except OSError as error:
            if not self._log_is_failing:
                self._logger.error(  # noqa: TRY400 - the reason is all there is to say
                    "The access log can't be written: {error}.", error=error
                )
            self._log_is_failing = True
        else:
            self._log_is_failing = False

    def reopen_access_log(self) -> None:
        """Go on in the file that has the access log's name now, if there is an access log.

        :raises OSError: if it can't be opened; the file that is open stays in use.
        """
        if self._access_log is not None:
            self._access_log.reopen()

    def access_log_line(self, _: object, request: Any) -> str:
        """The line of the access log for a request."""
        # What Twisted gives as the time was made of the reactor's, which may be monotonic.
        line: str = combinedLogFormatter(datetimeToLogString(self._wall_clock()), request)
        return line

    async def drain(self) -> None:
        """Finish the requests under way, and close all connections.

        What is not finished within ``DRAIN_TIMEOUT`` seconds is cut off.
        """
        await self.connections.drain()

    def _rest_if_closed(self) -> None:
        if not self.numPorts:
            self._rest()

    def _rest(self) -> None:
        super().stopFactory()
        self._access_log = None
        self.sockets.end()
        self.connections.rest()
