"""``GET /health``: whether the chat can serve, for monitoring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.protocol.bodies import Health
from chatter.web.endpoint import Endpoint, Operation
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.chat.core import ChatCore


class HealthEndpoint(Endpoint):
    """Responds with 200 while the store can serve, and with 503 while it can't."""

    operation = Operation(
        method="GET",
        summary="Whether the chat can serve",
        description="Needs no token.",
        response=Health,
        needs_user=False,
    )

    def __init__(self, core: ChatCore) -> None:
        super().__init__()
        self._core = core

    async def respond(self, request: Request) -> Response:  # noqa: ARG002
        """Respond that all is well."""
        await self._core.store.check()
        return json_response(Health("OK"))
