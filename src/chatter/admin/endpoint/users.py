"""``GET /users`` of the operator's endpoint: the users of the chat, by id."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from chatter.protocol.model import Role
from chatter.protocol.queries import UsersQuery
from chatter.web.endpoint import JSONResource
from chatter.web.parsing import parsed_query
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.chat.core import ChatCore
    from chatter.protocol.bodies import Participant


class UserRow(Struct, frozen=True):
    """A user, as the operator sees them."""

    id: int
    name: str
    online: bool
    last_seen: datetime
    role: Role
    muted_until: datetime | None
    banned_until: datetime | None


class UserRows(Struct, frozen=True):
    """A page of users.

    :ivar more: whether there are more after the last one.
    """

    users: list[UserRow]
    more: bool


class UsersResource(JSONResource):
    """Responds with a page of users."""

    methods = (b"GET",)

    def __init__(self, core: ChatCore) -> None:
        super().__init__()
        self._core = core

    async def respond(self, request: Request) -> Response:
        """Respond with those after an id."""
        query = parsed_query(request, UsersQuery)
        await self._core.standings.known()
        found = await self._core.directory.list(query.after, query.limit)
        return json_response(UserRows([self._row(user) for user in found.users], found.more))

    def _row(self, user: Participant) -> UserRow:
        standings = self._core.standings
        return UserRow(
            user.id,
            user.name,
            user.online,
            user.last_seen,
            "moderator" if user.id in standings.moderators else "member",
            self._unless_over(standings.muted.get(user.id)),
            self._unless_over(standings.banned.get(user.id)),
        )

    def _unless_over(self, until: datetime | None) -> datetime | None:
        return until if until is not None and until > self._core.presence.now() else None
