"""``POST /send`` and ``POST /send-private``: send a message, once, durably."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import json

from chatter.protocol.bodies import SendBody, SendPrivateBody
from chatter.protocol.errors import Gone, InvalidRequest, Muted, TooManyRequests, UnknownRecipient
from chatter.protocol.model import Message
from chatter.protocol.scalars import IdempotencyKey
from chatter.protocol.validation import checked_body
from chatter.web.endpoint import Operation, UserEndpoint
from chatter.web.lean import header_of, query_of
from chatter.web.parsing import body_of
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.chat.core import ChatCore
    from chatter.chat.limits.user_limits import UserLimits
    from chatter.protocol.model import User
    from chatter.web.authentication import Authentication


_send_decoder = json.Decoder(SendBody)
_send_private_decoder = json.Decoder(SendPrivateBody)


class _Sends(UserEndpoint):
    """An endpoint that sends."""

    def __init__(self, core: ChatCore, authentication: Authentication, limits: UserLimits) -> None:
        super().__init__(core, authentication)
        self._sending = limits.sending


class SendEndpoint(_Sends):
    """Sends to the general chat."""

    operation = Operation(
        method="POST",
        summary="Send to the general chat",
        description="Responds with the message once it is durable.",
        body=SendBody,
        response=Message,
        headers={"Idempotency-Key": IdempotencyKey},
        errors=(Muted, Gone, TooManyRequests),
    )

    async def respond_to_user(self, request: Request, user: User) -> Response:
        """Respond with the message."""
        if query_of(request) and b"recipient_id" in (request.args or ()):
            raise InvalidRequest(
                "recipient_id does not belong here. A private message goes to POST /send-private."
            )
        body = checked_body(body_of(request), _send_decoder)
        return json_response(await self._sending.send(user, body.text, _key_of(request)))


class SendPrivateEndpoint(_Sends):
    """Sends to one participant."""

    operation = Operation(
        method="POST",
        summary="Send privately to one participant",
        description="Responds with the message once it is durable. Nobody but the sender and "
        "the recipient ever sees it.",
        body=SendPrivateBody,
        response=Message,
        headers={"Idempotency-Key": IdempotencyKey},
        errors=(Muted, Gone, UnknownRecipient, TooManyRequests),
    )

    async def respond_to_user(self, request: Request, user: User) -> Response:
        """Respond with the message."""
        body = checked_body(body_of(request), _send_private_decoder)
        message = await self._sending.send_private(
            user, int(body.recipient_id), body.text, _key_of(request)
        )
        return json_response(message)


def _key_of(request: Request) -> str | None:
    key = header_of(request, b"idempotency-key")
    return None if key is None else key.decode("latin-1")
