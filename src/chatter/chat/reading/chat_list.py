"""The list of a user's chats, and how far each of them was read.

The cursor of the feed says what was delivered to the user's clients; a read mark says what
the user has read of one chat.  What was delivered counts as read in every chat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.protocol.model import ChatPage
from chatter.protocol.response_size import how_many_fit

if TYPE_CHECKING:
    from chatter.chat.delivery.live import Live
    from chatter.chat.users.directory import Directory
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import User


class ChatList:
    """Lists chats, and notes what was read of them."""

    def __init__(self, store: IChatStore, live: Live, directory: Directory) -> None:
        self._store = store
        self._live = live
        self._directory = directory

    async def page(self, user: User, before: int | None, limit: int) -> ChatPage:
        """The general chat and a user's newest private chats, or older private ones.

        :param before: only private chats whose last message has a smaller id.
        :param limit: at most so many private chats.
        :raises StoreUnavailable: if the store can't be read.
        """
        # First the end: a message that comes meanwhile may be in the chats and in the feed
        # after the end, but never in neither.
        last_id = (await self._live.recent()).last_id
        cursor = await self._store.cursor(user.id)
        chats = await self._store.chats(user.id, cursor, before, limit + 1)
        most = limit + (before is None)
        newest = [chat.last for chat in chats if chat.last is not None]
        # A chat without a message costs nothing, and is the general one, which comes first.
        most = min(most, how_many_fit(newest) + len(chats) - len(newest))
        return ChatPage(cursor, last_id, chats[:most], len(chats) > most)

    async def mark_read(self, user: User, other_id: int | None, message_id: int) -> None:
        """Note that a user has read one chat up to an id; a mark never goes back.

        :param other_id: the other user of a private chat; ``None`` for the general chat.
        :raises UnknownRecipient: if nobody has that id.
        :raises StoreUnavailable: if that can't be stored.
        """
        if other_id is not None:
            await self._directory.by_id(other_id)
        # Nobody can have read what is not yet there.
        read = min(message_id, (await self._live.recent()).last_id)
        await self._store.mark_read(user.id, other_id, read)
