"""``GET /users`` of the operator's endpoint: the users of the chat, by id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.protocol.bodies import UsersQuery
from chatter.web.endpoint import JSONResource, parsed_query
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.chat.core import ChatCore


class UsersResource(JSONResource):
    """Responds with a page of users."""

    methods = (b"GET",)

    def __init__(self, core: ChatCore) -> None:
        super().__init__()
        self._core = core

    async def respond(self, request: Request) -> Response:
        """Respond with those after an id."""
        query = parsed_query(request, UsersQuery)
        return json_response(await self._core.directory.list(query.after, query.limit))
