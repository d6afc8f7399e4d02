"""``GET /users``: the participants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.protocol.bodies import Users
from chatter.protocol.errors import InvalidRequest
from chatter.protocol.queries import UsersQuery
from chatter.protocol.scalars import MAX_ID
from chatter.web.endpoint import Operation, UserEndpoint
from chatter.web.parsing import parsed_query
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.protocol.model import User


class UsersEndpoint(UserEndpoint):
    """Responds with the participants."""

    operation = Operation(
        method="GET",
        summary="The participants",
        description="In the order of their ids, a page at a time. With ids only those users; "
        "with prefix those whose name begins with it, by name; with online those who are online.",
        query=UsersQuery,
        response=Users,
    )

    async def respond_to_user(self, request: Request, user: User) -> Response:  # noqa: ARG002
        """Respond with a page of participants."""
        query = parsed_query(request, UsersQuery)
        return json_response(await self._found(query))

    async def _found(self, query: UsersQuery) -> Users:
        directory = self._core.directory
        if (query.ids is not None) + bool(query.prefix) + query.online > 1:
            raise InvalidRequest("Only one of ids, prefix and online can be given.")
        if query.online:
            return await directory.list_online(query.after, query.limit)
        if query.ids is None and not query.prefix:
            return await directory.list(query.after, query.limit)
        if query.after:
            raise InvalidRequest("after does not go with ids or prefix.")
        if query.prefix:
            return await directory.list_by_prefix(query.prefix, query.limit)
        ids = {int(text) for text in (query.ids or "").split(",")}
        return await directory.list_by_id({user_id for user_id in ids if user_id <= MAX_ID})
