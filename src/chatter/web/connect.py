"""``POST /connect``: join the chat, or come back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET, json

from chatter.protocol.bodies import ConnectBody, Connected
from chatter.protocol.errors import Forbidden, NameTaken, Unauthorized
from chatter.protocol.validation import checked_body
from chatter.web.authentication import token_of
from chatter.web.endpoint import Operation, UserEndpoint, body_of
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request


_decoder = json.Decoder(ConnectBody)


class ConnectEndpoint(UserEndpoint):
    """Makes a user and its token, or answers with the user whose token came along."""

    operation = Operation(
        method="POST",
        summary="Join the general chat, or come back to it",
        description="Without a token it makes a new user, whose first poll has the latest "
        "messages of the general chat. With a token it answers with the user whose token it is.",
        body=ConnectBody,
        body_is_optional=True,
        response=Connected,
        needs_user=False,
        errors=(Unauthorized, Forbidden, NameTaken),
    )

    async def respond(self, request: Request) -> Response:
        """Answer with the user and the token."""
        name = _wanted_name(request)
        token = token_of(request)
        if token is None and self._authentication.uses_tokens:
            user, token = await self._core.joining.connect(name)
            self._core.presence.see(user.id)
        else:
            user = await self._authentication.user_of(request)
        cursor = await self._core.reading.cursor(user)
        if token is None or not self._authentication.uses_tokens:
            return json_response(Connected("success", user.id, user.name, cursor, UNSET))
        connected = Connected("success", user.id, user.name, cursor, token)
        return json_response(connected, headers=((b"Authorization", token.encode("latin-1")),))


def _wanted_name(request: Request) -> str | None:
    """The name in the body, if that is JSON; any other body is ignored."""
    body = body_of(request)
    media_type = (request.getHeader(b"Content-Type") or b"").partition(b";")[0]
    if not body or media_type.strip().lower() != b"application/json":
        return None
    return checked_body(body, _decoder).name
