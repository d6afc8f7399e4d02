"""What a store promises about moderation: standing of users, reports, bans of addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from datetime import datetime

    from chatter.log.entries import AddressBan, ReportDraft, StandingChange, StandingDraft
    from chatter.protocol.model import Standing
    from chatter.protocol.moderation import BannedAddress, OwnReport, Report

MOST_REPORTS = 10_000
"""So many reports are kept, the newest ones."""


class IModerationStore(Interface):
    """The part of a store that knows what users may do, and what they have reported.

    It is open as long as the store is.
    """

    def set_standing(draft: StandingDraft) -> Awaitable[StandingChange]:
        """Change a user's standing, and append the entry that says so; fires with the entry.

        Both are durable then, and the listener was called, also on other nodes or soon.

        :raises UnknownRecipient: if there is no such user, or none any more.
        :raises StoreUnavailable: if the store can't serve.
        """

    def standings() -> Awaitable[list[Standing]]:
        """The standing of each user who is or was more or less than a member, by id.

        It may have mutes and bans that are over.

        :raises StoreUnavailable: if the store can't serve.
        """

    def report(draft: ReportDraft, since: datetime) -> Awaitable[int]:
        """Keep a report; fires with how many others have reported the author after a time.

        A user reports a message once: again, it is only counted.  Of all reports the newest
        :data:`MOST_REPORTS` are kept.

        :raises StoreUnavailable: if the store can't serve.
        """

    def reports(before: int | None, limit: int) -> Awaitable[list[Report]]:
        """The newest ``limit`` reports (below ``before``) of messages that are there, newest first.

        :raises StoreUnavailable: if the store can't serve.
        """

    def reports_by(reporter_id: int, after: int, limit: int) -> Awaitable[list[OwnReport]]:
        """At most ``limit`` reports that a user has made, by the id of the message.

        Also those of messages that are gone.

        :param after: only reports of messages with a larger id.
        :raises StoreUnavailable: if the store can't serve.
        """

    def is_reported(message_id: int) -> Awaitable[bool]:
        """Whether somebody has reported a message.

        :raises StoreUnavailable: if the store can't serve.
        """

    def dismiss_reports(author_id: int) -> Awaitable[None]:
        """Forget the reports of all messages of a user.

        :raises StoreUnavailable: if the store can't serve.
        """

    def forget_reports(user_id: int) -> Awaitable[None]:
        """Forget what a user has reported, and the reports of the user's messages.

        :raises StoreUnavailable: if the store can't serve.
        """

    def ban_address(network: str, until: datetime | None, at: datetime) -> Awaitable[AddressBan]:
        """Ban a network, and append the entry that says so; fires with the entry.

        Bans that are over at that time are forgotten.

        :param network: in its usual form.
        :param until: how long it lasts; ``None`` ends it.
        :raises StoreUnavailable: if the store can't serve.
        """

    def banned_addresses() -> Awaitable[list[BannedAddress]]:
        """The networks that are banned, by name; it may have bans that are over.

        :raises StoreUnavailable: if the store can't serve.
        """
