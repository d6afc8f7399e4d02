"""Moderation as an application uses it: roles, mutes, bans, and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.chat.arguments import check
from chatter.chat.moderation.address_bans import checked_network
from chatter.protocol.deferring import returns_deferred
from chatter.protocol.queries import DEFAULT_REPORTS

if TYPE_CHECKING:
    from chatter.chat.core import ChatCore
    from chatter.protocol.bodies import Reports
    from chatter.protocol.model import Change, Role, User
    from chatter.protocol.moderation import Action, BannedAddress


class Moderation:
    """The part of a chat that decides what its users may do: ``chat.moderation``.

    Every Deferred may fail with :class:`chatter.protocol.errors.InvalidRequest` and
    :class:`chatter.protocol.errors.StoreUnavailable`, as those of the chat.
    """

    def __init__(self, core: ChatCore) -> None:
        self._core = core

    @returns_deferred
    async def moderate(
        self,
        moderator: User | None,
        user_id: int,
        action: Action,
        seconds: int | None = None,
        reason: str = "",
    ) -> Change:
        """Mute or ban a user, or end that; fires with the change, once it is durable.

        A muted user reads and does not send.  A banned user can't use the chat; what they have
        open is ended, on every node.  Both end by themselves when the time is over.

        :param moderator: who does it; ``None`` is the operator.
        :param action: ``mute``, ``unmute``, ``ban`` or ``unban``.
        :param seconds: for how long; ``None`` is without an end.
        :param reason: for the server's log: at most 200 characters.
        :raises Forbidden: if the one is no moderator, or the other one is; the operator may
            do it with anybody.
        :raises UnknownRecipient: if nobody has that id.
        """
        check(user_id=user_id, action=action, seconds=seconds, reason=reason)
        if moderator is not None:
            await self._core.check(moderator)
        return await self._core.moderating.moderate(moderator, user_id, action, seconds, reason)

    @returns_deferred
    async def report(self, user: User, message_id: int, reason: str = "") -> None:
        """Have moderators look at a message, for a user who may see it; fires once it is stored.

        :param reason: for the moderators: at most 200 characters.
        :raises Muted: if the user may not report now.
        :raises Gone: if there is no such message, or the user may not see it.
        """
        check(message_id=message_id, reason=reason)
        await self._core.check(user)
        await self._core.reporting.report(user, message_id, reason)

    @returns_deferred
    async def reports(
        self, moderator: User | None, before: int | None = None, limit: int = DEFAULT_REPORTS
    ) -> Reports:
        """The newest reports, or those before an id, newest first.

        :param moderator: who reads them; ``None`` is the operator, for whom the texts of
            private messages are left empty.
        :raises Forbidden: if the user is no moderator.
        """
        check(before=before, limit_of_reports=limit)
        if moderator is not None:
            await self._core.check(moderator)
        return await self._core.reporting.reports(moderator, before, limit)

    @returns_deferred
    async def ban_address(self, network: str, seconds: int | None = None, reason: str = "") -> None:
        """Serve no requests from an address or a network any more; fires once it is durable.

        Event streams to there are cut, and a poll that waits gets the error when it ends.

        :param network: such as ``203.0.113.7`` or ``2001:db8::/64``.
        :param seconds: for how long; ``None`` is without an end.
        :param reason: for the server's log.
        """
        check(seconds=seconds, reason=reason)
        await self._core.moderating.ban_address(checked_network(network), seconds, reason)

    @returns_deferred
    async def unban_address(self, network: str) -> None:
        """End the ban of an address or a network, as it was banned; fires once it is durable.

        :raises InvalidRequest: if it is not banned; it may be part of a network that is.
        """
        await self._core.moderating.unban_address(checked_network(network))

    @returns_deferred
    async def banned_addresses(self) -> list[BannedAddress]:
        """The networks that are banned now, by name."""
        return await self._core.moderating.banned_addresses()

    @returns_deferred
    async def set_role(self, user_id: int, role: Role) -> Change:
        """Make a user a ``moderator``, or a ``member`` again; fires with the change.

        It is for the operator: the first moderator is made so.

        :raises UnknownRecipient: if nobody has that id.
        """
        check(user_id=user_id, role=role)
        return await self._core.moderating.set_role(user_id, role)
