"""``GET /chats``: what a page starts with. ``POST /read``: what was read of one chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import UNSET, UnsetType, json

from chatter.protocol.bodies import Chats, Done, ReadBody
from chatter.protocol.errors import (
    Banned,
    Forbidden,
    InvalidRequest,
    Unauthorized,
    UnknownRecipient,
)
from chatter.protocol.queries import ChatsQuery
from chatter.protocol.validation import checked_body
from chatter.web.endpoint import Operation, UserEndpoint
from chatter.web.parsing import body_of, parsed_query
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.protocol.model import User

_decoder = json.Decoder(ReadBody)


class ChatsEndpoint(UserEndpoint):
    """Responds with the user's chats; to nobody, with whether they can join."""

    operation = Operation(
        method="GET",
        summary="The user's chats, newest message first",
        description="Each with its last message, how far it was read, and how many messages are "
        "unread (up to 100). The first page begins with the general chat, which does not count "
        "for limit; before pages back through the private ones. To follow the feed after last_id "
        "misses nothing. Without a token user is null, and there are no chats.",
        query=ChatsQuery,
        response=Chats,
        needs_user=False,
        errors=(Forbidden, Banned, Unauthorized),
    )

    async def respond(self, request: Request) -> Response:
        """Respond with some chats."""
        query = parsed_query(request, ChatsQuery)
        user = await self._authentication.user_or_nobody(request)
        uses_tokens = self._authentication.uses_tokens
        policy = self._core.joining.policy if uses_tokens else "closed"
        can_join = policy != "closed"
        has_tokens: Literal[True] | UnsetType = True if uses_tokens and not can_join else UNSET
        invited: Literal[True] | UnsetType = True if policy == "invited" else UNSET
        if user is None:
            return json_response(Chats(0, 0, [], False, None, can_join, invited, has_tokens))
        page = await self._core.chat_list.page(user, query.before, query.limit)
        standings = self._core.standings
        return json_response(
            Chats(
                page.cursor,
                page.last_id,
                page.chats,
                page.more,
                self._core.directory.participant(user),
                can_join,
                invited,
                has_tokens,
                "moderator" if user.id in standings.moderators else UNSET,
                standings.muted_until(user.id) or UNSET,
            )
        )


class ReadEndpoint(UserEndpoint):
    """Takes note of what the user has read of one chat."""

    operation = Operation(
        method="POST",
        summary="Note how far one chat was read",
        description="Moves the read mark of the chat on to an id, never back. The cursor of the "
        "feed stays where it is.",
        body=ReadBody,
        response=Done,
        errors=(UnknownRecipient,),
    )

    async def respond_to_user(self, request: Request, user: User) -> Response:
        """Respond once the mark is stored."""
        body = checked_body(body_of(request), _decoder)
        if (body.chat_type == "private") != (body.recipient_id is not None):
            raise InvalidRequest("recipient_id goes with chat_type private, which needs it.")
        await self._core.chat_list.mark_read(user, body.recipient_id, body.id)
        return json_response(Done())
