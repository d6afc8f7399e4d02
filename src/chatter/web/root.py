"""The root of the chat's resources, for a site of its own or inside another tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatter.web.authentication import Authentication
from chatter.web.connect import ConnectEndpoint
from chatter.web.cors import allow_origin
from chatter.web.endpoint import Endpoint, MissingResource
from chatter.web.events import EventsEndpoint
from chatter.web.health import HealthEndpoint
from chatter.web.openapi import OpenAPIEndpoint
from chatter.web.send import SendEndpoint, SendPrivateEndpoint
from chatter.web.status import StatusEndpoint
from chatter.web.streams import MAX_STREAMS, Streams
from chatter.web.users import UsersEndpoint

if TYPE_CHECKING:
    from collections.abc import Collection

    from twisted.web.server import Request

    from chatter.chat import Chat
    from chatter.web.authentication import Authenticate


class ChatResource(MissingResource):
    """A chat over HTTP: ``root.putChild(b"chat", ChatResource(chat))``.

    :param chat: the chat; whoever makes it starts and stops its store.
    :param authenticate: the application's own way to tell which user asks; its
        users then need no token, and ``POST /connect`` makes no new ones.
        :meth:`~chatter.chat.Chat.join` makes a user for an account.
    :param origins: the origins of web pages that may use the chat, such as
        ``https://chat.example.org``; ``*`` is any.  The chat's own need no leave.
    :param max_streams: how many event streams may be open in all.
    """

    def __init__(
        self,
        chat: Chat,
        authenticate: Authenticate | None = None,
        *,
        origins: Collection[str] = (),
        max_streams: int = MAX_STREAMS,
    ) -> None:
        super().__init__()
        self._origins = origins
        streams = Streams(chat, max_streams)
        authentication = Authentication(chat, authenticate)
        endpoints: dict[str, Endpoint] = {
            "status": StatusEndpoint(chat, authentication),
            "health": HealthEndpoint(chat),
            "events": EventsEndpoint(chat, authentication, streams),
            "users": UsersEndpoint(chat, authentication),
            "connect": ConnectEndpoint(chat, authentication),
            "send": SendEndpoint(chat, authentication),
            "send-private": SendPrivateEndpoint(chat, authentication),
        }
        endpoints["openapi.json"] = OpenAPIEndpoint(endpoints)
        for path, endpoint in endpoints.items():
            self.putChild(path.encode(), endpoint)

    def getChildWithDefault(self, path: bytes, request: Request) -> Any:
        """Find the endpoint, whose answer other origins may read if they are named."""
        if self._origins:
            allow_origin(request, self._origins)
        return self.children.get(path) or self.getChild(path, request)
