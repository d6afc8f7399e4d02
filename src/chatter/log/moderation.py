"""What a store promises about the standing of users: their roles, mutes and bans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from chatter.log.entries import StandingChange, StandingDraft
    from chatter.protocol.model import Standing


class IModerationStore(Interface):
    """The part of a store that knows what users may do.

    It is open as long as the store is.
    """

    def set_standing(draft: StandingDraft) -> Awaitable[StandingChange]:
        """Change a user's standing, and append the entry that says so; fires with the entry.

        Both are durable then, and the listener was called, also on other nodes or soon.

        :raises UnknownRecipient: if there is no such user.
        :raises StoreUnavailable: if the store can't serve.
        """

    def standings() -> Awaitable[list[Standing]]:
        """The standing of each user who is or was more or less than a member, by id.

        It may have mutes and bans that are over.

        :raises StoreUnavailable: if the store can't serve.
        """
