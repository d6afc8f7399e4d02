"""Reporting: users show messages to the moderators, who see nothing private otherwise."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace
from twisted.logger import Logger

from chatter.log.entries import ReportDraft
from chatter.protocol.bodies import Reports
from chatter.protocol.errors import Gone, UnknownRecipient
from chatter.protocol.response_size import how_many_fit

if TYPE_CHECKING:
    from chatter.chat.moderation.moderating import Moderating
    from chatter.chat.moderation.standings import Standings
    from chatter.chat.rates import Rate
    from chatter.chat.users.presence import Presence
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import Message, User
    from chatter.protocol.moderation import Report


class Reporting:
    """Keeps what users report, and mutes users whom many have reported.

    :param rule: so many users who report messages of one user, within so many seconds, mute that
        user for so many seconds; ``None`` if reports mute nobody.
    """

    _log = Logger()

    def __init__(
        self,
        store: IChatStore,
        presence: Presence,
        standings: Standings,
        moderating: Moderating,
        rule: Rate | None,
    ) -> None:
        self._store = store
        self._presence = presence
        self._standings = standings
        self._moderating = moderating
        self._rule = rule

    async def report(self, user: User, message_id: int, reason: str) -> None:
        """Have moderators look at a message.

        :raises Muted: if the user may not report now.
        :raises Gone: if there is no such message that the user may see.
        :raises StoreUnavailable: if the store can't serve.
        """
        self._standings.check_may_write(user.id)
        message = await self._store.read_message(message_id)
        if message is None or not may_see(user, message):
            raise Gone
        now = self._presence.now()
        author_id = message.sender_id
        since = now - timedelta(seconds=0 if self._rule is None else self._rule.seconds)
        draft = ReportDraft(message_id, author_id, user.id, reason, now)
        count = await self._store.moderation.report(draft, since)
        self._log.info(
            "Moderation: report of message {message_id} of user {user_id} by {by_id}",
            message_id=message_id,
            user_id=author_id,
            by_id=user.id,
        )
        if self._rule is None or count < self._rule.count:
            return
        if author_id in self._standings.moderators or self._standings.muted_until(author_id):
            return
        reason = f"reported by {count} users"
        with suppress(UnknownRecipient):  # who has left meanwhile
            await self._moderating.moderate(None, author_id, "mute", self._rule.seconds, reason)

    async def reports(self, moderator: User | None, before: int | None, limit: int) -> Reports:
        """The newest reports, or those before an id, newest first.

        :param moderator: ``None`` is the operator, who reads no private messages.
        :raises Forbidden: if the user is no moderator.
        :raises StoreUnavailable: if the store can't serve.
        """
        if moderator is not None:
            await self._standings.check_moderates(moderator)
        found: list[Report] = await self._store.moderation.reports(before, limit + 1)
        if moderator is None:
            found = [_without_private_text(report) for report in found]
        count = min(limit, how_many_fit([report.message for report in found]))
        return Reports(found[:count], more=len(found) > count)


def _without_private_text(report: Report) -> Report:
    if report.message.recipient_id is None:
        return report
    return replace(report, message=replace(report.message, text=""))


def may_see(user: User, message: Message) -> bool:
    """Whether a user may see a message."""
    return message.recipient_id is None or user.id in (message.sender_id, message.recipient_id)
