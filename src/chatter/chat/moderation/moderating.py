"""Moderating: what moderators and the operator decide about users.

Each act is an entry of the log and one line of the server's log, which has ids and the reason,
but neither a name nor a text.
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING, Literal

from twisted.logger import Logger

from chatter.chat.moderation.address_bans import networks_around
from chatter.log.entries import StandingDraft, for_readers
from chatter.protocol.errors import Forbidden, InvalidRequest
from chatter.protocol.model import FOREVER
from chatter.protocol.moderation import BannedAddress
from chatter.protocol.scalars import OPERATOR_ID

if TYPE_CHECKING:
    from datetime import datetime

    from chatter.chat.moderation.standings import Standings
    from chatter.chat.users.presence import Presence
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import Change, Role, User
    from chatter.protocol.moderation import Action


class Moderating:
    """Changes what users of a chat may do."""

    _log = Logger()

    def __init__(self, store: IChatStore, presence: Presence, standings: Standings) -> None:
        self._store = store
        self._presence = presence
        self._standings = standings

    async def moderate(
        self, moderator: User | None, user_id: int, action: Action, seconds: int | None, reason: str
    ) -> Change:
        """Mute or ban a user, or end that; returns the change.

        :param moderator: ``None`` is the operator, who may do so with moderators, too.
        :param seconds: for how long; ``None`` is without an end.
        :raises Forbidden: if the one is no moderator, or the other one is.
        :raises UnknownRecipient: if nobody has that id.
        :raises StoreUnavailable: if the store can't serve.
        """
        if moderator is not None:
            await self._standings.check_moderates(moderator)
            if user_id in self._standings.moderators:
                raise Forbidden("Only the operator may do this to a moderator.")
        by_id = OPERATOR_ID if moderator is None else moderator.id
        now = self._presence.now()
        until = None if action in ("unmute", "unban") else _end_of(now, seconds)
        what: Literal["mute", "ban"] = "mute" if action in ("mute", "unmute") else "ban"
        change = await self._change(StandingDraft(user_id, what, "member", until, by_id, now))
        if action == "unmute":
            # Or the next report would mute the user again.
            await self._store.moderation.dismiss_reports(user_id)
        self._log.info(
            "Moderation: {action} of user {user_id} by {by_id} for {seconds} seconds: {reason!r}",
            action=action,
            user_id=user_id,
            by_id=by_id,
            seconds=seconds,
            reason=reason,
        )
        return change

    async def ban_address(self, network: str, seconds: int | None, reason: str) -> BannedAddress:
        """Ban a network, in its usual form; returns the ban.

        :raises StoreUnavailable: if the store can't serve.
        """
        now = self._presence.now()
        until = _end_of(now, seconds)
        await self._store.moderation.ban_address(network, until, now)
        self._log.info(
            "Moderation: ban of the network {network} for {seconds} seconds: {reason!r}",
            network=network,
            seconds=seconds,
            reason=reason,
        )
        return BannedAddress(network, until)

    async def unban_address(self, network: str) -> str | None:
        """End the ban of a network, in its usual form.

        :returns: a network that is still banned and has this one in it; ``None`` if there is none.
        :raises InvalidRequest: if it is not banned; it may be part of one that is.
        :raises StoreUnavailable: if the store can't serve.
        """
        banned = {found.network for found in await self.banned_addresses()}
        inner = ip_network(network)
        wider = networks_around(inner, range(inner.prefixlen))
        around = [other for other in wider if other in banned]
        if network not in banned:
            hint = f", but it is part of {around[0]}, which is" if around else ""
            raise InvalidRequest(f"{network} is not banned{hint}.")
        await self._store.moderation.ban_address(network, None, self._presence.now())
        self._log.info("Moderation: unban of the network {network}", network=network)
        return around[0] if around else None

    async def banned_addresses(self) -> list[BannedAddress]:
        """The networks that are banned now.

        :raises StoreUnavailable: if the store can't serve.
        """
        now = self._presence.now()
        found: list[BannedAddress] = await self._store.moderation.banned_addresses()
        return [banned for banned in found if banned.until > now]

    async def set_role(self, user_id: int, role: Role) -> Change:
        """Make a user a moderator, or a member again; returns the change.

        :raises UnknownRecipient: if nobody has that id.
        :raises StoreUnavailable: if the store can't serve.
        """
        draft = StandingDraft(user_id, "role", role, None, OPERATOR_ID, self._presence.now())
        change = await self._change(draft)
        self._log.info(
            "Moderation: user {user_id} is a {role} now",
            user_id=user_id,
            role=role,
            by_id=OPERATOR_ID,
        )
        return change

    async def _change(self, draft: StandingDraft) -> Change:
        return for_readers(await self._store.moderation.set_standing(draft))


def _end_of(now: datetime, seconds: int | None) -> datetime:
    return FOREVER if seconds is None else now + timedelta(seconds=seconds)
