"""``POST /erase``: a user leaves for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import json

from chatter.protocol import names
from chatter.protocol.bodies import Done, EraseBody
from chatter.protocol.errors import InvalidRequest
from chatter.protocol.validation import checked_body
from chatter.web.endpoint import Operation, UserEndpoint
from chatter.web.page_cookie import clearing, token_in_cookie
from chatter.web.parsing import body_of
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.protocol.model import User

_decoder = json.Decoder(EraseBody)


class EraseEndpoint(UserEndpoint):
    """Withdraws all messages of the user, and revokes all tokens."""

    operation = Operation(
        method="POST",
        summary="Leave for good",
        description="Withdraws all messages of the user, also private ones, and revokes all "
        "tokens. Nobody can have the name again. The name in the body must be the user's own. "
        "Responds once all messages were withdrawn, which may take some seconds.",
        body=EraseBody,
        response=Done,
    )

    async def respond_to_user(self, request: Request, user: User) -> Response:
        """Respond once the user has left."""
        name = checked_body(body_of(request), _decoder).name
        if names.fold(name) != names.fold(user.name):
            raise InvalidRequest("name is not the user's own name.")
        has_cookie = token_in_cookie(request) is not None
        await self._core.erasing.erase(user)
        return json_response(Done(), headers=(clearing(request),) if has_cookie else ())
