"""Where new messages come from: for now, from asking every second.

This is the only place that knows.  Whatever replaces it has to call
:meth:`Conversation.show_unread` when there may be something new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.task import deferLater

if TYPE_CHECKING:
    from typing import NoReturn

    from twisted.internet.interfaces import IReactorTime

    from chatter.terminal.conversation import Conversation

POLL_EVERY = 1.0
"""Seconds."""


async def follow(conversation: Conversation, clock: IReactorTime) -> NoReturn:
    """Show new messages until it is cancelled."""
    while True:
        await conversation.show_unread()
        await deferLater(clock, POLL_EVERY)
