"""``POST /moderate``, ``POST /report`` and ``GET /reports``: reporting and moderating."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import json

from chatter.protocol.bodies import Done, ModerateBody, ReportBody, Reports
from chatter.protocol.errors import Gone, Muted, TooManyRequests, UnknownRecipient
from chatter.protocol.model import StandingChanged
from chatter.protocol.queries import ReportsQuery
from chatter.protocol.validation import checked_body
from chatter.web.endpoint import Operation, UserEndpoint
from chatter.web.parsing import body_of, parsed_query
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.chat.core import ChatCore
    from chatter.chat.limits.user_limits import UserLimits
    from chatter.protocol.model import User
    from chatter.web.authentication import Authentication

_moderate_decoder = json.Decoder(ModerateBody)
_report_decoder = json.Decoder(ReportBody)


class ModerateEndpoint(UserEndpoint):
    """Mutes and bans users, and ends that."""

    operation = Operation(
        method="POST",
        summary="Mute or ban a user",
        description="For moderators. A muted user reads, and gets 403 (muted) for what they send "
        "or edit; a banned one gets 403 (banned) for everything, and their streams and waiting "
        "polls end. It ends by itself after so many seconds, if they are given. Responds with the "
        "change that the moderator and the user get who follow with changes=1. Nobody can do this "
        "to a moderator, who has to be made a member by the operator first.",
        body=ModerateBody,
        response=StandingChanged,
        errors=(UnknownRecipient,),
    )

    async def respond_to_user(self, request: Request, user: User) -> Response:
        """Respond with the change."""
        body = checked_body(body_of(request), _moderate_decoder)
        return json_response(
            await self._core.moderating.moderate(
                user, body.user_id, body.action, body.seconds, body.reason
            )
        )


class ReportEndpoint(UserEndpoint):
    """Has moderators look at a message."""

    operation = Operation(
        method="POST",
        summary="Report a message to the moderators",
        description="Of a message that the user may see. The moderators can read it from now on, "
        "also if it is private. A user reports a message once; again, it changes nothing.",
        body=ReportBody,
        response=Done,
        errors=(Muted, Gone, TooManyRequests),
    )

    def __init__(self, core: ChatCore, authentication: Authentication, limits: UserLimits) -> None:
        super().__init__(core, authentication)
        self._limits = limits

    async def respond_to_user(self, request: Request, user: User) -> Response:
        """Respond once it is stored."""
        body = checked_body(body_of(request), _report_decoder)
        self._limits.report(user)
        await self._core.reporting.report(user, body.message_id, body.reason)
        return json_response(Done())


class ReportsEndpoint(UserEndpoint):
    """Responds with what was reported."""

    operation = Operation(
        method="GET",
        summary="The reported messages, newest report first",
        description="For moderators. Messages that were withdrawn are left out. To unmute a user "
        "dismisses the reports of what the user has sent.",
        query=ReportsQuery,
        response=Reports,
    )

    async def respond_to_user(self, request: Request, user: User) -> Response:
        """Respond with some reports."""
        query = parsed_query(request, ReportsQuery)
        return json_response(await self._core.reporting.reports(user, query.before, query.limit))
