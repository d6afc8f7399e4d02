"""Start and stop in order.

Twisted's ``MultiService`` starts and stops its children side by side, so that a store
could close under a live request.  Here the ports are bound first, so that a port in use
is reported at once and a low one is bound while ``twistd`` is still root.  Then the store is
opened, and only then are connections accepted.  The stop is the reverse: stop
accepting, finish the requests under way, flush cursors, close the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.internet.defer import Deferred, DeferredList, DeferredLock
from twisted.logger import Logger

from chatter.admin.endpoint.root import OperatorResource
from chatter.chat.chat import DEFAULT_HISTORY, Chat, core_of
from chatter.chat.limits.rate_limits import DEFAULT_LIMITS, NO_LIMITS
from chatter.chat.typed_service import TypedService
from chatter.httpd.endpoints import is_only_local, private_endpoint, server_endpoint
from chatter.protocol.deferring import returns_deferred, when_done
from chatter.stores.registry import make_store
from chatter.system_errors import reason_of
from chatter.web import ChatResource
from chatter.web.event_streams.streams import MAX_STREAMS
from chatter.web.request_counts import CountedSite
from chatter.web.site import ChatSite

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import timedelta

    from twisted.internet.interfaces import IListeningPort
    from twisted.python.failure import Failure
    from typing_extensions import Self

    from chatter.chat.limits.rate_limits import RateLimits
    from chatter.chat.rates import Rate
    from chatter.protocol.scalars import JoinPolicy

DEFAULT_PORT = "tcp:8000:interface=127.0.0.1"
"""Where a chat listens by default."""


class Door(NamedTuple):
    """A way into a chat: a site, and the endpoints where it listens.

    :ivar listens: what is logged of an address where it listens.
    """

    site: ChatSite
    endpoints: Sequence[Any]
    listens: str


class ChatService(TypedService):
    """A chat and its site, run as one service.

    It can be started again after it was stopped.

    :param chat: the chat, which is started and stopped.
    :param site: the site that serves it.
    :param endpoints: where to listen, ``IStreamServerEndpoint`` providers.
    :param more: further doors, which open and close with the site.

    :ivar chat: the chat, for listeners and for what the application itself sends.
    """

    name = "chatter"
    _log = Logger()

    def __init__(
        self, chat: Chat, site: ChatSite, endpoints: Sequence[Any], more: Sequence[Door] = ()
    ) -> None:
        self.chat = chat
        self._core = core_of(chat)
        self._site = site
        self._doors = (Door(site, endpoints, "chatter listens on {address}."), *more)
        self._bound: list[Deferred[Any]] = []
        # A stop waits for the start before it, and the other way round.
        self._turn = DeferredLock()

    @classmethod
    def for_store(
        cls,
        reactor: Any,
        store: str,
        ports: str | Sequence[str] = DEFAULT_PORT,
        *,
        history: int = DEFAULT_HISTORY,
        origins: Collection[str] = (),
        max_streams: int = MAX_STREAMS,
        access_log: str | None = None,
        page: bool = True,
        limits: RateLimits = DEFAULT_LIMITS,
        reports: Rate | None = None,
        trust: Collection[str] = (),
        hosts: Collection[str] = (),
        token_lifetime: float | None = None,
        joining: JoinPolicy = "open",
        admin: str | None = None,
        keep: timedelta | None = None,
        keep_messages: int | None = None,
    ) -> Self:
        """Make the service of a chat that has a server of its own.

        :param reactor: the reactor that will run it.
        :param store: where the chat is kept, such as ``sqlite:chat.sqlite``.
        :param ports: where to listen: a port of 127.0.0.1 (``8080``), or Twisted's
            descriptions of endpoints (``tcp:8080``, ``unix:/run/chat.sock``).
        :param history: how many messages of the general chat are unread for a new user.
        :param origins: the origins of web pages that may use the chat.
        :param max_streams: how many event streams may be open in all.
        :param access_log: the file that gets a line for each request.
        :param page: whether there is a page for browsers.
        :param limits: how much a user, and an address, may request.
        :param reports: when reports mute a user, as :class:`chatter.Chat` takes it.
        :param trust: the proxies whose headers about clients are believed: addresses, networks
            such as ``10.0.0.0/8``, and ``unix`` for UNIX sockets.
        :param hosts: the names under which the chat may be requested, beside addresses and
            ``localhost``.  If there are none: where it listens on loopback addresses only, any
            that a proxy forwards which is trusted or on a UNIX socket; elsewhere, any.
        :param admin: where the operator's endpoint listens, for ``chatter-admin`` and metrics:
            ``unix:/run/chatter/admin.sock``, or a port of 127.0.0.1.  Whoever can open it is
            the operator.  Nowhere by default.
        :param joining: who can join: everybody (``open``), whoever has an invitation
            (``invited``), or nobody (``closed``).
        :param token_lifetime: a token that was not used for so many seconds ends; ``None`` for
            never.
        :param keep: for so long messages are kept, an hour at least; ``None`` for ever.
        :param keep_messages: so many of the newest messages are kept, and up to a sixteenth
            more; none goes within an hour.  ``None`` for all.
        :raises ValueError: if the store, a port, a proxy, a host or what is kept makes no
            sense, or others than this machine could reach the operator's endpoint.
        :raises StoreUnavailable: if the store needs what is not installed.
        """
        chat = Chat(
            make_store(store, reactor),
            reactor,
            history=history,
            token_lifetime=token_lifetime,
            joining=joining,
            keep=keep,
            keep_messages=keep_messages,
            reports=reports,
        )
        descriptions = [ports] if isinstance(ports, str) else ports
        resource = ChatResource(
            chat,
            origins=origins,
            max_streams=max_streams,
            page=page,
            limits=limits,
            trust=trust,
            hosts=hosts if hosts or is_only_local(descriptions) else None,
        )
        site_class = ChatSite if admin is None else CountedSite
        site = site_class(
            resource, reactor, access_log, origins=origins, limits=limits, trust=trust
        )
        believes = site.addresses.believes
        endpoints = [server_endpoint(reactor, port, believes) for port in descriptions]
        if admin is None:
            return cls(chat, site, endpoints)
        assert isinstance(site, CountedSite)
        operator = Door(
            ChatSite(OperatorResource(chat, site), reactor, limits=NO_LIMITS),
            [private_endpoint(reactor, admin)],
            "The operator's endpoint is {address}.",
        )
        return cls(chat, site, endpoints, [operator])

    def privilegedStartService(self) -> None:
        """Bind the ports, without accepting.

        :raises CannotListenError: or what else an endpoint raises that can't listen.
        :raises RuntimeError: if the service runs already.
        """
        failure = self._bind()
        if failure is not None:
            self._turn.run(lambda: Deferred.fromCoroutine(self._unbind()))
            failure.raiseException()

    @returns_deferred
    async def startService(self) -> None:
        """Listen, open the store, then accept; fires once clients are served.

        :raises CannotListenError: or what else an endpoint raises that can't listen.
        :raises StoreUnavailable: if the store can't be opened.
        :raises RuntimeError: if the service runs already.
        """
        async with self._turn:
            if self.running:
                raise RuntimeError("The chat runs already.")
            super().startService()
            try:
                if not self._bound:
                    self._bind()
                ports = await self._ports()
                await self.chat.startService()
            except BaseException as error:
                reason = reason_of(error)
                self._log.critical("chatter can't start: {reason}", reason=reason, error=error)
                self.running = False
                await self._unbind()
                raise
            announcements = [door.listens for door in self._doors for _ in door.endpoints]
            for port, announcement in zip(ports, announcements, strict=True):
                if hasattr(port, "startReading"):
                    port.startReading()
                self._log.info(announcement, address=port.getHost())

    @returns_deferred
    async def stopService(self) -> None:
        """Stop accepting, finish the requests under way, flush and close everything."""
        async with self._turn:
            await self._unbind()
            if not self.running:
                return
            super().stopService()
            self._core.live.stop()
            drained = [Deferred.fromCoroutine(door.site.drain()) for door in self._doors]
            for each in drained:
                await each
            await self.chat.stopService()
            self._log.info("chatter has stopped.")

    def reopen_access_log(self) -> None:
        """Go on in the file that has the access log's name now, if there is an access log.

        :raises OSError: if it can't be opened; the file that is open stays in use.
        """
        self._site.reopen_access_log()

    def _bind(self) -> Failure | None:
        """Begin to listen; returns what has failed at once."""
        if self._bound:
            raise RuntimeError("The chat runs already.")
        failures: list[Failure] = []
        for site, endpoints, _ in self._doors:
            for endpoint in endpoints:
                bound = endpoint.listen(site)
                bound.addCallback(_hold, site)
                bound.addErrback(_note, failures)
                self._bound.append(bound)
        return failures[0] if failures else None

    async def _ports(self) -> list[IListeningPort]:
        """All ports, once they are bound."""
        results = await DeferredList(self._bound)
        for _, result in results:
            if isinstance(result, Exception):
                raise result
        return [port for _, port in results]

    async def _unbind(self) -> None:
        results = await DeferredList(self._bound)
        self._bound = []
        for _, result in results:
            if isinstance(result, Exception):
                continue
            try:
                await when_done(result.stopListening())
            except Exception:  # noqa: BLE001 - the store is to be closed in any case
                # A UNIX socket that the user of the server may not remove, for instance.
                self._log.failure("{port} can't be closed.", port=result)


def _hold(port: IListeningPort, site: ChatSite) -> IListeningPort:
    """Bind without accepting: new connections wait in the kernel's queue."""
    if hasattr(port, "stopReading"):
        port.stopReading()
    site.sockets.take_over(port)
    return port


def _note(failure: Failure, failures: list[Failure]) -> BaseException:
    """Note why an endpoint can't listen; its Deferred fires with the exception."""
    failures.append(failure)
    assert failure.value is not None
    return failure.value
