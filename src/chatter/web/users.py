"""``GET /users``: who takes part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.protocol.bodies import Users, UsersQuery
from chatter.web.endpoint import Operation, UserEndpoint, parsed_query
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.protocol.model import User


class UsersEndpoint(UserEndpoint):
    """Answers with the participants."""

    operation = Operation(
        method="GET",
        summary="The participants",
        description="In the order of their ids, a page at a time.",
        query=UsersQuery,
        response=Users,
    )

    async def respond_to_user(self, request: Request, user: User) -> Response:  # noqa: ARG002
        """Answer with a page of participants."""
        query = parsed_query(request, UsersQuery)
        return json_response(await self._core.directory.list(query.after, query.limit))
