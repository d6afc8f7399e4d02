"""Moderation in the store in memory."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from msgspec.structs import replace
from zope.interface import implementer

from chatter.log.entries import AddressBan, standing_change
from chatter.log.moderation import MOST_REPORTS, IModerationStore
from chatter.protocol.errors import UnknownRecipient
from chatter.protocol.model import Standing
from chatter.protocol.moderation import BannedAddress, OwnReport, Report

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container
    from datetime import datetime

    from chatter.log.entries import ReportDraft, StandingChange, StandingDraft
    from chatter.stores.memory.entries import MemoryEntries


@implementer(IModerationStore)
class MemoryModeration:
    """The part of a store in memory that knows what users may do, and what they have reported.

    :param check: raises unless the store is open.
    :param users: the ids of all users.
    :param entries: the entries of the log.
    """

    def __init__(
        self,
        check: Callable[[], Awaitable[None]],
        users: Container[int],
        entries: MemoryEntries,
    ) -> None:
        self._check = check
        self._users = users
        self._entries = entries
        self._standings: dict[int, Standing] = {}
        self._left: set[int] = set()
        self._reports: dict[int, ReportDraft] = {}
        self._networks: dict[str, datetime] = {}

    async def set_standing(self, draft: StandingDraft) -> StandingChange:
        """Change a user's standing."""
        await self._check()
        if draft.user_id not in self._users or draft.user_id in self._left:
            raise UnknownRecipient(f"There is no user {draft.user_id}.")
        earlier = self._standings.get(draft.user_id, Standing(draft.user_id))
        standing = self._standings[draft.user_id] = _changed(earlier, draft)
        entry = standing_change(self._entries.next_id(), draft, standing)
        self._entries.append(entry)
        return entry

    def end(self, user_id: int) -> None:
        """Have a user be like any other, for good."""
        self._left.add(user_id)
        self._standings.pop(user_id, None)

    async def standings(self) -> list[Standing]:
        """The standing of each user who has one."""
        await self._check()
        return [self._standings[user_id] for user_id in sorted(self._standings)]

    async def report(self, draft: ReportDraft, since: datetime) -> int:
        """Keep a report."""
        await self._check()
        pair = (draft.message_id, draft.reporter_id)
        reports = self._reports
        if pair not in [(kept.message_id, kept.reporter_id) for kept in reports.values()]:
            newest = max(reports, default=0) + 1
            reports[newest] = draft
            reports.pop(newest - MOST_REPORTS, None)
        of_author = [kept for kept in reports.values() if kept.author_id == draft.author_id]
        reporters = {kept.reporter_id for kept in of_author if kept.at > since}
        return len(reporters - {draft.author_id})

    async def reports(self, before: int | None, limit: int) -> list[Report]:
        """The newest reports."""
        await self._check()
        found = (
            Report(
                i, self._entries.messages[kept.message_id], kept.reporter_id, kept.reason, kept.at
            )
            for i, kept in reversed(self._reports.items())
            if kept.message_id in self._entries.messages and (before is None or i < before)
        )
        return list(islice(found, limit))

    async def reports_by(self, reporter_id: int, after: int, limit: int) -> list[OwnReport]:
        """The reports that a user has made."""
        await self._check()
        own = [
            OwnReport(kept.message_id, kept.reason, kept.at)
            for kept in self._reports.values()
            if kept.reporter_id == reporter_id and kept.message_id > after
        ]
        return sorted(own, key=lambda report: report.message_id)[:limit]

    async def is_reported(self, message_id: int) -> bool:
        """Whether somebody has reported a message."""
        await self._check()
        return any(kept.message_id == message_id for kept in self._reports.values())

    async def dismiss_reports(self, author_id: int) -> None:
        """Forget the reports of all messages of a user."""
        await self._check()
        for number in [i for i, kept in self._reports.items() if kept.author_id == author_id]:
            del self._reports[number]

    async def forget_reports(self, user_id: int) -> None:
        """Forget what a user has reported, and the reports of the user's messages."""
        await self._check()
        for number, kept in list(self._reports.items()):
            if user_id in (kept.author_id, kept.reporter_id):
                del self._reports[number]

    async def ban_address(self, network: str, until: datetime | None, at: datetime) -> AddressBan:
        """Ban a network."""
        await self._check()
        kept = {name: end for name, end in self._networks.items() if end > at and name != network}
        self._networks = kept if until is None else {**kept, network: until}
        entry = AddressBan(self._entries.next_id(), network, until, at)
        self._entries.append(entry)
        return entry

    async def banned_addresses(self) -> list[BannedAddress]:
        """The networks that are banned."""
        await self._check()
        return [BannedAddress(name, until) for name, until in sorted(self._networks.items())]


def _changed(standing: Standing, draft: StandingDraft) -> Standing:
    if draft.what == "role":
        return replace(standing, role=draft.role)
    if draft.what == "mute":
        return replace(standing, muted_until=draft.until)
    return replace(standing, banned_until=draft.until)
