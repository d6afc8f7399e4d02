"""The root of the chat's resources, for a site of its own or inside another tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.web.server import NOT_DONE_YET

from chatter.chat.chat import core_of
from chatter.chat.limits.rate_limits import DEFAULT_LIMITS
from chatter.chat.limits.user_limits import UserLimits
from chatter.protocol.errors import MisdirectedRequest
from chatter.web.address_limits import AddressLimits
from chatter.web.addresses import Addresses
from chatter.web.authentication import Authentication
from chatter.web.changes import EditEndpoint, WithdrawEndpoint
from chatter.web.chats import ChatsEndpoint, ReadEndpoint
from chatter.web.connect import ConnectEndpoint
from chatter.web.cors import allow_origin, checked_origins
from chatter.web.disconnect import DisconnectEndpoint
from chatter.web.endpoint import Endpoint, ErrorResource, Methods, MissingResource
from chatter.web.erase import EraseEndpoint
from chatter.web.event_streams.events import EventsEndpoint
from chatter.web.event_streams.streams import MAX_STREAMS, Streams
from chatter.web.export import ExportEndpoint
from chatter.web.health import HealthEndpoint
from chatter.web.hosts import Hosts
from chatter.web.moderation import ModerateEndpoint, ReportEndpoint, ReportsEndpoint
from chatter.web.openapi import OpenAPIEndpoint
from chatter.web.page import chat_page, slash_added
from chatter.web.rejection_delay import RejectionDelay
from chatter.web.responses import send
from chatter.web.send import SendEndpoint, SendPrivateEndpoint
from chatter.web.status import StatusEndpoint
from chatter.web.tokens import (
    ListTokensEndpoint,
    MakeTokenEndpoint,
    RevokeTokenEndpoint,
)
from chatter.web.users import UsersEndpoint

if TYPE_CHECKING:
    from collections.abc import Collection

    from twisted.web.server import Request

    from chatter.chat import Chat
    from chatter.chat.limits.rate_limits import RateLimits
    from chatter.web.authentication import Authenticate


class Counted(NamedTuple):
    """What of a chat's resources counts what it does."""

    streams: Streams
    user_limits: UserLimits
    address_limits: AddressLimits


class ChatResource(MissingResource):
    """A chat over HTTP: ``root.putChild(b"chat", ChatResource(chat))``.

    :param chat: the chat; the application that makes it starts and stops it.
    :param authenticate: the application's own way to find the user of a request:
        ``authenticate(request: twisted.web.server.Request) -> User | None``.  It may return
        the user, ``None`` for nobody it knows, or a Deferred or an awaitable of the same; it
        may also raise :exc:`chatter.protocol.errors.Unauthorized`.
        :meth:`chatter.chat.Chat.join` gives the user of an account.  Users then need no
        token, ``POST /connect`` makes no new ones, and requests that a page of another
        origin has a browser send are refused (403), since browsers send cookies and
        passwords by themselves.
    :param origins: the origins of web pages that may use the chat, such as
        ``["https://chat.example.org"]``; ``*`` is any.  The chat's own origin always may.
    :param max_streams: how many event streams may be open in all.
    :param page: whether there is a page for browsers, at this resource's own place.
    :param limits: how much a user, and an address, may request;
        :data:`chatter.NO_LIMITS` for an application that limits by itself.
    :param trust: the proxies whose ``X-Forwarded-For`` or ``Forwarded`` is believed: addresses,
        networks such as ``10.0.0.0/8``, and ``unix`` for UNIX sockets.
    :param hosts: the names under which the chat may be requested, such as
        ``["chat.example.org"]``, beside addresses and ``localhost``; all others get 421.
        If there is none, a proxy may forward requests for any name: one on a UNIX socket, or
        one that is trusted.  ``None`` is any name, from anybody.

    :raises TypeError: if ``origins``, ``trust`` or ``hosts`` is one string.
    :raises ValueError: if one of them is no origin, no address or no name.
    """

    isLeaf = False  # noqa: N815 - it is Twisted's name

    def __init__(
        self,
        chat: Chat,
        authenticate: Authenticate | None = None,
        *,
        origins: Collection[str] = (),
        max_streams: int = MAX_STREAMS,
        page: bool = True,
        limits: RateLimits = DEFAULT_LIMITS,
        trust: Collection[str] = (),
        hosts: Collection[str] | None = None,
    ) -> None:
        super().__init__()
        addresses = Addresses(trust)
        self._hosts = None if hosts is None else Hosts(hosts, addresses)
        self._origins = checked_origins(origins)
        self._page = chat_page().children() if page else {}
        core = core_of(chat)
        streams = Streams(core, max_streams)
        user_limits = UserLimits(core, limits)
        address_limits = AddressLimits(limits, addresses, core.clock)
        self._counted = Counted(streams, user_limits, address_limits)
        authentication = Authentication(
            core,
            addresses,
            address_limits,
            RejectionDelay(core.clock, addresses),
            authenticate,
            self._origins,
        )
        core.access.add_ending(streams.cut)
        core.access.add_address_ending(streams.cut_banned)
        endpoints: dict[str, Endpoint | Methods] = {
            "status": StatusEndpoint(core, authentication, user_limits),
            "health": HealthEndpoint(core),
            "events": EventsEndpoint(core, authentication, streams, user_limits),
            "users": UsersEndpoint(core, authentication),
            "connect": ConnectEndpoint(core, authentication, address_limits),
            "send": SendEndpoint(core, authentication, user_limits),
            "send-private": SendPrivateEndpoint(core, authentication, user_limits),
            "edit": EditEndpoint(core, authentication, user_limits),
            "withdraw": WithdrawEndpoint(core, authentication, user_limits),
            "moderate": ModerateEndpoint(core, authentication),
            "report": ReportEndpoint(core, authentication, user_limits),
            "reports": ReportsEndpoint(core, authentication),
            "disconnect": DisconnectEndpoint(core, authentication),
            "chats": ChatsEndpoint(core, authentication),
            "read": ReadEndpoint(core, authentication),
        }
        if authentication.uses_tokens:
            endpoints["tokens"] = Methods(
                ListTokensEndpoint(core, authentication),
                MakeTokenEndpoint(core, authentication, user_limits),
            )
            endpoints["erase"] = EraseEndpoint(core, authentication)
            endpoints["export"] = ExportEndpoint(core, authentication)
            endpoints["tokens/revoke"] = RevokeTokenEndpoint(core, authentication, user_limits)
        endpoints["openapi.json"] = OpenAPIEndpoint(
            endpoints, uses_tokens=authentication.uses_tokens
        )
        for path, endpoint in endpoints.items():
            folder, _, name = path.rpartition("/")
            parent = endpoints[folder] if folder else self
            parent.putChild(name.encode(), endpoint)

    def getChildWithDefault(self, path: bytes, request: Request) -> Any:
        """Find the endpoint, whose responses other origins may read if they are named."""
        if self._hosts is not None:
            try:
                self._hosts.check(request)
            except MisdirectedRequest as error:
                if self._origins:
                    allow_origin(request, self._origins)
                return ErrorResource(error)
        endpoint = self.children.get(path)
        if endpoint is None:
            if path in self._page:
                return self._page[path]
            endpoint = self.getChild(path, request)
        if self._origins:
            allow_origin(request, self._origins)
        return endpoint

    def render(self, request: Request) -> int:
        """Lead a browser that comes without the slash at the end to the page."""
        if not self._page or request.method not in (b"GET", b"HEAD"):
            return super().render(request)
        send(request, slash_added(request))
        return NOT_DONE_YET


def counted_in(resource: ChatResource) -> Counted:
    """What counts in a chat's resources: for the operator's endpoint, not for applications."""
    return resource._counted  # noqa: SLF001 - it is this file's own
