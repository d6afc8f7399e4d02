"""``POST /edit`` and ``POST /withdraw``: change what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import json

from chatter.protocol.bodies import EditBody, WithdrawBody, WithdrawnMessage
from chatter.protocol.errors import Gone, Muted, TooManyRequests
from chatter.protocol.model import Message
from chatter.protocol.validation import checked_body
from chatter.web.endpoint import Operation, UserEndpoint
from chatter.web.parsing import body_of
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.chat.core import ChatCore
    from chatter.chat.limits.user_limits import UserLimits
    from chatter.protocol.model import User
    from chatter.web.authentication import Authentication

_edit_decoder = json.Decoder(EditBody)
_withdraw_decoder = json.Decoder(WithdrawBody)


class _Changes(UserEndpoint):
    """An endpoint that changes a message."""

    def __init__(self, core: ChatCore, authentication: Authentication, limits: UserLimits) -> None:
        super().__init__(core, authentication)
        self._limits = limits


class EditEndpoint(_Changes):
    """Gives a message another text."""

    operation = Operation(
        method="POST",
        summary="Edit a message of one's own",
        description="Responds with the message as it is now, once that is durable. A text that "
        "it has already changes nothing. Who has read the message, and follows with changes=1, "
        "is told of the new text; who has not, reads it only.",
        body=EditBody,
        response=Message,
        errors=(Muted, Gone, TooManyRequests),
    )

    async def respond_to_user(self, request: Request, user: User) -> Response:
        """Respond with the message."""
        body = checked_body(body_of(request), _edit_decoder)
        self._limits.change_message(user)
        return json_response(await self._core.changing.edit(user, body.message_id, body.text))


class WithdrawEndpoint(_Changes):
    """Takes a message out of the log."""

    operation = Operation(
        method="POST",
        summary="Withdraw a message",
        description="Responds with the id of the change, once that is durable. The text is gone "
        "for everybody, and is not kept. Moderators withdraw others' messages in the general chat, "
        "too, and private ones that were reported. Who has read the message, and follows with "
        "changes=1, is told that it was withdrawn.",
        body=WithdrawBody,
        response=WithdrawnMessage,
        errors=(Gone, TooManyRequests),
    )

    async def respond_to_user(self, request: Request, user: User) -> Response:
        """Respond with the id of the change."""
        message_id = checked_body(body_of(request), _withdraw_decoder).message_id
        self._limits.change_message(user)
        change_id = await self._core.changing.withdraw(user, message_id)
        return json_response(WithdrawnMessage(message_id, change_id))
