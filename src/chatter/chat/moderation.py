"""Moderation as an application uses it: roles, mutes and bans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.chat.arguments import check
from chatter.protocol.deferring import returns_deferred

if TYPE_CHECKING:
    from chatter.chat.core import ChatCore
    from chatter.protocol.model import Action, Change, Role, User


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
    async def set_role(self, user_id: int, role: Role) -> Change:
        """Make a user a ``moderator``, or a ``member`` again; fires with the change.

        It is for the operator: the first moderator is made so.

        :raises UnknownRecipient: if nobody has that id.
        """
        check(user_id=user_id, role=role)
        return await self._core.moderating.set_role(user_id, role)
