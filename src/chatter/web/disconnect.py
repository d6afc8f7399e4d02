"""``POST /disconnect``: the user leaves this browser or device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.protocol.bodies import Done
from chatter.protocol.errors import Banned, Forbidden, TooManyRequests, Unauthorized
from chatter.web.authentication import token_of
from chatter.web.endpoint import Operation, UserEndpoint
from chatter.web.page_cookie import clearing, token_in_cookie
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request


class DisconnectEndpoint(UserEndpoint):
    """Revokes the token of the request, and takes the cookie from the browser; the user stays."""

    operation = Operation(
        method="POST",
        summary="Revoke the token of this request",
        description="The token is revoked. If it is in the cookie that /connect has set, the "
        "browser loses that, too. Whoever has no other token has lost the user.",
        response=Done,
        needs_user=False,
        errors=(Banned, Forbidden, TooManyRequests, Unauthorized),
    )

    async def respond(self, request: Request) -> Response:
        """Respond without the cookie, if there was one."""
        has_cookie = token_in_cookie(request) is not None
        authentication = self._authentication
        if authentication.uses_tokens and (has_cookie or token_of(request)):
            user = await authentication.user_or_nobody(request)
            if user is not None:
                token_id = await authentication.token_id(request)
                await self._core.tokens.revoke(user, token_id)
        return json_response(Done(), headers=(clearing(request),) if has_cookie else ())
