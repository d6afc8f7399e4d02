"""``GET /stats`` of the operator's endpoint: the chat in a few numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from chatter.version import __version__
from chatter.web.endpoint import JSONResource
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.chat.core import ChatCore
    from chatter.web.site import ChatSite


class Stats(Struct, frozen=True):
    """The chat now.

    :ivar last_id: the id of the newest entry of the log.
    :ivar followers: open event streams, waiting polls and followers in the process.
    :ivar connections: open connections of users.
    :ivar uptime: seconds since the server was started.
    """

    version: str
    last_id: int
    followers: int
    connections: int
    uptime: int


class StatsResource(JSONResource):
    """Responds with the numbers."""

    methods = (b"GET",)

    def __init__(self, core: ChatCore, site: ChatSite) -> None:
        super().__init__()
        self._core = core
        self._site = site
        self._began = core.clock.seconds()

    async def respond(self, request: Request) -> Response:  # noqa: ARG002
        """Respond with the numbers of now."""
        core = self._core
        return json_response(
            Stats(
                __version__,
                await core.store.last_id(),
                len(core.live.followers),
                len(self._site.connections.open),
                int(core.clock.seconds() - self._began),
            )
        )
