"""Changing what was said: a message is edited or withdrawn by who may do so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger

from chatter.log.entries import ChangeDraft
from chatter.protocol.errors import Gone
from chatter.protocol.scalars import OPERATOR_ID
from chatter.protocol.validation import checked_text

if TYPE_CHECKING:
    from chatter.chat.moderation.standings import Standings
    from chatter.chat.users.presence import Presence
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import Message, User


class Changing:
    """Edits and withdraws messages of a chat."""

    _log = Logger()

    def __init__(self, store: IChatStore, presence: Presence, standings: Standings) -> None:
        self._store = store
        self._presence = presence
        self._standings = standings

    async def edit(self, user: User, message_id: int, text: str) -> Message:
        """Give a message another text; returns the message as it is now.

        A text that it has already changes nothing.

        :raises Muted: if the user may not edit now.
        :raises InvalidRequest: if the text is not valid.
        :raises Gone: if there is no such message that the user may edit.
        :raises StoreUnavailable: if the store can't serve.
        """
        self._standings.check_may_write(user.id)
        checked_text(text)
        message = await self._store.read_message(message_id)
        if message is None or not may_edit(user, message):
            raise Gone
        draft = ChangeDraft(message_id, text, user.id, self._presence.now())
        _, message = await self._store.change(draft)
        return message

    async def withdraw(self, user: User, message_id: int) -> int:
        """Take a message out of the log; returns the id of the change that says so.

        Moderators may do so with the messages of others in the general chat, and with private ones
        that one of the two has reported.

        :raises Gone: if there is no such message that the user may withdraw.
        :raises StoreUnavailable: if the store can't serve.
        """
        message = await self._store.read_message(message_id)
        if message is None:
            raise Gone
        is_shown = False
        if message.sender_id != user.id and user.id in self._standings.moderators:
            is_shown = message.recipient_id is None or (
                await self._store.moderation.is_reported(message_id)
            )
        if not may_withdraw(user, message, is_shown_to_moderator=is_shown):
            raise Gone
        change_id = await self._withdraw(message_id, user.id)
        if message.sender_id != user.id:
            self._log.info(
                "Moderation: withdrawal of message {message_id} of user {user_id} by {by_id}",
                message_id=message_id,
                user_id=message.sender_id,
                by_id=user.id,
            )
        return change_id

    async def withdraw_any(self, message_id: int) -> int:
        """Take any message out of the log, for the operator; else as :meth:`withdraw`.

        :raises Gone: if there is no such message.
        :raises StoreUnavailable: if the store can't serve.
        """
        change_id = await self._withdraw(message_id, OPERATOR_ID)
        self._log.info("The operator has withdrawn message {message_id}.", message_id=message_id)
        return change_id

    async def _withdraw(self, message_id: int, by_id: int) -> int:
        draft = ChangeDraft(message_id, None, by_id, self._presence.now())
        change_id, _ = await self._store.change(draft)
        assert change_id is not None
        return change_id


def may_edit(user: User, message: Message) -> bool:
    """Whether a user may give a message another text."""
    return message.sender_id == user.id


def may_withdraw(user: User, message: Message, *, is_shown_to_moderator: bool) -> bool:
    """Whether a user may take a message out of the log.

    :param is_shown_to_moderator: whether the user is a moderator to whom it is shown: it is in the
        general chat, or was reported.
    """
    return message.sender_id == user.id or is_shown_to_moderator
