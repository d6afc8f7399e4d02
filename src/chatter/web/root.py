"""The root of the chat's resources, for a site of its own or inside another tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.web.authentication import Authentication
from chatter.web.connect import ConnectEndpoint
from chatter.web.endpoint import Endpoint, MissingResource
from chatter.web.health import HealthEndpoint
from chatter.web.openapi import OpenAPIEndpoint
from chatter.web.send import SendEndpoint, SendPrivateEndpoint
from chatter.web.status import StatusEndpoint
from chatter.web.users import UsersEndpoint

if TYPE_CHECKING:
    from chatter.chat import Chat
    from chatter.web.authentication import Authenticate


class ChatResource(MissingResource):
    """A chat over HTTP: ``root.putChild(b"chat", ChatResource(chat))``.

    :param chat: the chat; whoever makes it starts and stops its store.
    :param authenticate: the application's own way to tell which user asks; its
        users then need no token, and ``POST /connect`` makes no new ones.
        :meth:`~chatter.chat.Chat.join` makes a user for an account.
    """

    def __init__(self, chat: Chat, authenticate: Authenticate | None = None) -> None:
        super().__init__()
        authentication = Authentication(chat, authenticate)
        endpoints: dict[str, Endpoint] = {
            "status": StatusEndpoint(chat, authentication),
            "health": HealthEndpoint(chat),
            "users": UsersEndpoint(chat, authentication),
            "connect": ConnectEndpoint(chat, authentication),
            "send": SendEndpoint(chat, authentication),
            "send-private": SendPrivateEndpoint(chat, authentication),
        }
        endpoints["openapi.json"] = OpenAPIEndpoint(endpoints)
        for path, endpoint in endpoints.items():
            self.putChild(path.encode(), endpoint)
