"""Start and stop in order.

Twisted's ``MultiService`` starts and stops its children side by side, so that a
store could close under a live request.  Here the ports are bound first (so that a
port in use is told at once, and a low one is bound while ``twistd`` is still root),
the store is opened, and only then is anybody let in.  The way out is the same way
back: let nobody in, answer what is under way, save, close.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

from chatter.chat.chat import core_of
from chatter.protocol.deferring import when_done

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.interfaces import IListeningPort, IStreamServerEndpoint
    from twisted.python.failure import Failure

    from chatter.chat import Chat
    from chatter.web.site import ChatSite


class ChatService(Service):
    """A chat and its site, run as one service.

    :param chat: the chat, which is started and stopped.
    :param endpoints: where to listen.
    """

    name = "chatter"
    _log = Logger()

    def __init__(
        self, chat: Chat, site: ChatSite, endpoints: Sequence[IStreamServerEndpoint]
    ) -> None:
        self._chat = chat
        self._core = core_of(chat)
        self._site = site
        self._endpoints = endpoints
        self._bound: list[Deferred[Any]] = []
        self._started: Deferred[None] | None = None

    def privilegedStartService(self) -> None:
        """Bind the ports, without letting anybody in.

        :raises CannotListenError: or what else an endpoint says that can't listen.
        """
        failures: list[Failure] = []
        for endpoint in self._endpoints:
            bound = endpoint.listen(self._site)
            bound.addCallbacks(self._hold, failures.append)
            self._bound.append(bound)
        if failures:
            failures[0].raiseException()

    def startService(self) -> Deferred[None]:
        """Open the store, then let people in; fires once they can come."""
        if not self._bound:
            self.privilegedStartService()
        super().startService()
        self._started = Deferred.fromCoroutine(self._start())
        return self._started

    async def _start(self) -> None:
        try:
            await self._chat.startService()
        except BaseException:
            self.running = False
            await self._unbind()
            raise
        for port in await self._ports():
            _release(port)
            self._log.info("chatter listens on {address}.", address=port.getHost())

    def stopService(self) -> Deferred[None]:
        """Let nobody in, answer what is under way, save and close everything."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._started is not None:
            # One that is still starting is let finish, or else it could not be undone.
            await DeferredList([self._started], consumeErrors=True)
        if not self.running:
            return
        super().stopService()
        await self._unbind()
        self._core.live.stop()
        await self._site.drain()
        await self._chat.stopService()
        self._log.info("chatter has stopped.")

    def _hold(self, port: IListeningPort) -> IListeningPort:
        """Bind without accepting: whoever connects waits in the kernel's queue."""
        if hasattr(port, "stopReading"):
            port.stopReading()
        self._site.sockets.take_over(port)
        return port

    async def _ports(self) -> list[IListeningPort]:
        results = await DeferredList(self._bound)
        return [port for _, port in results if port is not None]

    async def _unbind(self) -> None:
        ports = await self._ports()
        self._bound.clear()
        for port in ports:
            await when_done(port.stopListening())


def _release(port: IListeningPort) -> None:
    if hasattr(port, "startReading"):
        port.startReading()
