"""``GET /users``: who takes part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.protocol.bodies import Users, UsersQuery
from chatter.web.answers import Answer, answer_json
from chatter.web.endpoint import Operation, UserEndpoint, parsed_query

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
        answer=Users,
    )

    async def answer_user(self, request: Request, user: User) -> Answer:  # noqa: ARG002
        """Answer with a page of participants."""
        query = parsed_query(request, UsersQuery)
        return answer_json(await self._chat.users(query.after, query.limit))
