"""The methods of a client for reporting messages, and for moderators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.client import requests
from chatter.client.page_checks import check_reports
from chatter.client.session import Session
from chatter.protocol.bodies import Done, Reports
from chatter.protocol.deferring import returns_deferred
from chatter.protocol.model import StandingChanged
from chatter.protocol.queries import DEFAULT_REPORTS

if TYPE_CHECKING:
    from chatter.protocol.moderation import Action


class Moderating(Session):
    """A client that shows messages to the moderators, or whose user is one."""

    @returns_deferred
    async def report(self, message_id: int, reason: str = "") -> None:
        """Show a message to the moderators; fires once that is stored.

        :param reason: for the moderators: at most 200 characters, on one line.
        :raises Gone: if the user sees no such message, or it was withdrawn.
        :raises Muted: if the user may not report now.
        :raises InvalidRequest: if the reason is not valid.
        """
        await self._attempts.until_done(Done, requests.report(message_id, reason))

    @returns_deferred
    async def reports(self, before: int | None = None, limit: int = DEFAULT_REPORTS) -> Reports:
        """The newest reports, or those before the id of a report, newest first.

        :raises Forbidden: if the user is no moderator.
        """
        reports = await self._attempts.until_done(Reports, requests.reports(before, limit))
        check_reports(reports, before)
        return reports

    @returns_deferred
    async def moderate(
        self, user_id: int, action: Action, seconds: int | None = None, reason: str = ""
    ) -> StandingChanged:
        """Mute or ban a user, or end that; what the user may do then.

        :param action: ``mute``, ``unmute``, ``ban`` or ``unban``.
        :param seconds: for how long; ``None`` is without an end.
        :param reason: for the server's log: at most 200 characters, on one line.
        :raises Forbidden: if the user is no moderator, or the other one is.
        :raises UnknownRecipient: if nobody has that id.
        :raises InvalidRequest: if the time or the reason is not valid.
        """
        request = requests.moderation(user_id, action, seconds, reason)
        return await self._attempts.until_done(StandingChanged, request)
