"""Acts of the operator that are about users: roles, mutes, bans, and withdrawn messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from chatter.admin.endpoint.acts import user_named
from chatter.protocol.bodies import WithdrawnMessage
from chatter.protocol.model import Role
from chatter.protocol.moderation import Action, Reason, Seconds

if TYPE_CHECKING:
    from chatter.chat.core import ChatCore
    from chatter.protocol.bodies import WithdrawBody
    from chatter.protocol.model import Change


class RoleBody(Struct, frozen=True):
    """What ``POST /role`` takes."""

    name: str
    role: Role


class ModerationBody(Struct, frozen=True):
    """What ``POST /moderate`` takes.

    :ivar seconds: for how long; without an end if there are none.
    """

    name: str
    action: Action
    seconds: Seconds | None = None
    reason: Reason = ""


async def set_role(core: ChatCore, body: RoleBody) -> Change:
    """Make a user a moderator, or a member again."""
    user = await user_named(core, body.name)
    return await core.moderating.set_role(user.id, body.role)


async def moderate(core: ChatCore, body: ModerationBody) -> Change:
    """Mute or ban a user, or end that."""
    user = await user_named(core, body.name)
    return await core.moderating.moderate(None, user.id, body.action, body.seconds, body.reason)


async def withdraw(core: ChatCore, body: WithdrawBody) -> WithdrawnMessage:
    """Withdraw a message, whosever it is."""
    change_id = await core.changing.withdraw_any(body.message_id)
    return WithdrawnMessage(body.message_id, change_id)
