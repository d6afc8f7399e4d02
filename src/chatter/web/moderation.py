"""``POST /moderate``: what moderators decide about users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import json

from chatter.protocol.bodies import ModerateBody
from chatter.protocol.errors import UnknownRecipient
from chatter.protocol.model import StandingChanged
from chatter.protocol.validation import checked_body
from chatter.web.endpoint import Operation, UserEndpoint, body_of
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.protocol.model import User

_moderate_decoder = json.Decoder(ModerateBody)


class ModerateEndpoint(UserEndpoint):
    """Mutes and bans users, and ends that."""

    operation = Operation(
        method="POST",
        summary="Mute or ban a user",
        description="For moderators. A muted user reads, and gets 403 (muted) for what they send "
        "or edit; a banned one gets 403 (banned) for everything, and their streams and waiting "
        "polls end. It ends by itself after so many seconds, if they are given. Responds with the "
        "change that the moderator and the user get who follow with changes=1. Nobody can do this "
        "to a moderator, who has to be made a member by the operator first.",
        body=ModerateBody,
        response=StandingChanged,
        errors=(UnknownRecipient,),
    )

    async def respond_to_user(self, request: Request, user: User) -> Response:
        """Respond with the change."""
        body = checked_body(body_of(request), _moderate_decoder)
        return json_response(
            await self._core.moderating.moderate(
                user, body.user_id, body.action, body.seconds, body.reason
            )
        )
