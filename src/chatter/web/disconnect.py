"""``POST /disconnect``: the page's user leaves this browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.protocol.bodies import Done
from chatter.protocol.errors import Forbidden
from chatter.web.endpoint import Endpoint, Operation
from chatter.web.page_cookie import clearing, token_in_cookie
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request


class DisconnectEndpoint(Endpoint):
    """Takes the cookie from the browser; the user stays."""

    operation = Operation(
        method="POST",
        summary="Forget the page's user in this browser",
        description="Takes the cookie back that /connect has set. Whoever has no other way to "
        "prove who they are, such as the token in another client, has lost the user.",
        response=Done,
        needs_user=False,
        errors=(Forbidden,),
    )

    async def respond(self, request: Request) -> Response:
        """Respond without the cookie, if there was one."""
        has_cookie = token_in_cookie(request) is not None
        return json_response(Done(), headers=(clearing(request),) if has_cookie else ())
