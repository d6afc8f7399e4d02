"""``POST /erase`` of the operator: users who leave for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger

from chatter.admin.endpoint.acts import user_named
from chatter.protocol.bodies import Done

if TYPE_CHECKING:
    from chatter.admin.endpoint.tokens import UserBody
    from chatter.chat.core import ChatCore

_log = Logger()


async def erase(core: ChatCore, body: UserBody) -> Done:
    """Erase a user: all messages are withdrawn, nobody has the name again."""
    user = await user_named(core, body.name)
    _log.info("The operator erases user {user}.", user=user.id)
    await core.erasing.erase(user)
    return Done()
