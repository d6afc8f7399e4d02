"""``GET /export`` of the operator: what the chat has of a user."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from twisted.logger import Logger

from chatter.admin.endpoint.acts import user_named
from chatter.web.endpoint import JSONResource
from chatter.web.export import LINES, LinesWriter
from chatter.web.parsing import parsed_query
from chatter.web.responses import Response

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.chat.core import ChatCore
    from chatter.protocol.model import Message, User

_log = Logger()


class ExportQuery(Struct, frozen=True):
    """The parameters of ``GET /export``."""

    name: str


class ExportResource(JSONResource):
    """Responds with what the chat has of a user, as lines of JSON.

    The texts of private messages are left empty: the operator does not read them.
    """

    methods = (b"GET",)

    def __init__(self, core: ChatCore) -> None:
        super().__init__()
        self._core = core

    async def respond(self, request: Request) -> Response:
        """Respond with a body that is read from the log while it is sent."""
        user = await user_named(self._core, parsed_query(request, ExportQuery).name)
        self._core.exporting.check(user)
        _log.info("The operator exports what user {user} has.", user=user.id)
        return Response(b"", content_type=LINES, begin=partial(self._begin, user))

    def _begin(self, user: User, request: Request) -> None:
        lines = self._core.exporting.lines(user, _without_private_text)
        LinesWriter(request, lines).begin(self._core.clock)


def _without_private_text(message: Message) -> Message:
    return message if message.recipient_id is None else replace(message, text="")
