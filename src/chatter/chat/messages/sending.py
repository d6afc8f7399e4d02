"""Sending: a text is checked, and is a message once the store has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import astuple

from chatter.log.limited_drafts import LimitedDraft
from chatter.protocol import names
from chatter.protocol.errors import Muted, UnknownRecipient
from chatter.protocol.model import Draft
from chatter.protocol.validation import checked_key, checked_text

if TYPE_CHECKING:
    from chatter.chat.moderation.standings import Standings
    from chatter.chat.users.directory import Directory
    from chatter.chat.users.presence import Presence
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.errors import ChatError
    from chatter.protocol.model import Message, User


class Allowance(NamedTuple):
    """How much a user may still send to the general chat.

    :ivar counted_until: up to this entry of the log it is counted.
    :ivar remaining: so many messages are allowed after it.
    """

    counted_until: int
    remaining: int


class Sending:
    """Appends messages to the log of a chat."""

    def __init__(
        self, store: IChatStore, presence: Presence, directory: Directory, standings: Standings
    ) -> None:
        self._standings = standings
        self._muted = standings.muted
        self._left = standings.left
        self._store = store
        self._presence = presence
        self._directory = directory

    async def send(
        self, user: User, text: str, key: str | None, within: Allowance | None = None
    ) -> Message:
        """Send to the general chat.

        :param within: how much the user may send now, if that is limited.
        :raises LimitReached: if the user has sent as much as that at another node.
        :raises Unauthorized: if the user has left meanwhile.
        :raises Muted: if the user may not send now.
        :raises Gone: if it was sent with the same key before, and withdrawn.
        :raises InvalidRequest: if the text or the key is not valid.
        :raises StoreUnavailable: if the store can't serve.
        """
        try:
            draft = self._draft(user, None, text, key)
        except Muted as rejection:
            return await self.sent_or_refused(user, key, rejection)
        if within is not None:
            draft = LimitedDraft(
                *astuple(draft), counted_until=within.counted_until, remaining=within.remaining
            )
        return await self._store.append(draft)

    async def send_private(
        self, user: User, recipient_id: int, text: str, key: str | None
    ) -> Message:
        """Send to one user.

        :raises Unauthorized: if the user has left meanwhile.
        :raises Muted: if the user may not send now.
        :raises Gone: if it was sent with the same key before, and withdrawn.
        :raises InvalidRequest: if the text or the key is not valid.
        :raises UnknownRecipient: if nobody has that id, or the user has left for good.
        :raises StoreUnavailable: if the store can't serve.
        """
        try:
            draft = self._draft(user, recipient_id, text, key)
        except Muted as rejection:
            return await self.sent_or_refused(user, key, rejection)
        recipient = await self._directory.by_id(recipient_id)
        if names.is_erased(recipient.name, recipient_id):
            has_left = UnknownRecipient(f"User {recipient_id} has left for good.")
            return await self.sent_or_refused(user, key, has_left)
        if self._left:
            self._standings.check_is_there(user.id)
        return await self._store.append(draft)

    async def sent_or_refused(self, user: User, key: str | None, rejection: ChatError) -> Message:
        """What a user has sent with the same key before: a retry is no further message.

        :param rejection: raised if there is none.
        :raises InvalidRequest: if the key is not valid.
        :raises Gone: if it was withdrawn.
        :raises StoreUnavailable: if the store can't be read.
        """
        sent = None if key is None else await self._store.read_sent(user.id, checked_key(key))
        if sent is None:
            raise rejection
        return sent

    def _draft(self, user: User, recipient_id: int | None, text: str, key: str | None) -> Draft:
        if self._left:
            self._standings.check_is_there(user.id)
        if self._muted:
            self._standings.check_may_write(user.id)
        checked_text(text)
        if key is not None:
            checked_key(key)
        return Draft(user.id, recipient_id, text, self._presence.now(), key)
