"""``GET /reports`` of the operator's endpoint: what users want moderators to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.protocol.queries import ReportsQuery
from chatter.web.endpoint import JSONResource
from chatter.web.parsing import parsed_query
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.chat.core import ChatCore


class ReportsResource(JSONResource):
    """Responds with a page of reports, newest first; the texts of private messages are empty."""

    methods = (b"GET",)

    def __init__(self, core: ChatCore) -> None:
        super().__init__()
        self._core = core

    async def respond(self, request: Request) -> Response:
        """Respond with the newest, or those before an id."""
        query = parsed_query(request, ReportsQuery)
        return json_response(await self._core.reporting.reports(None, query.before, query.limit))
