"""Reading: each reader is a cursor into the log.

A poll reads what is in a user's feed after a position, and changes nothing.  That the
response arrived is a second step, :meth:`Reading.acknowledge`, which moves the user's
cursor.  So a response that is lost on the way is simply read again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.protocol.bodies import DEFAULT_LIMIT
from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.model import Page
from chatter.protocol.sizes import how_many_fit

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from chatter.chat.directory import Directory
    from chatter.chat.live import Live
    from chatter.chat.presence import Presence
    from chatter.chat.store_reads import StoreReads
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import Message, User

_LONG = 3600.0
"""A follower waits so many seconds for a message before it looks again."""


class Reading:
    """Reads the feeds and the histories of a chat."""

    def __init__(
        self,
        store: IChatStore,
        presence: Presence,
        live: Live,
        reads: StoreReads,
        directory: Directory,
    ) -> None:
        self._store = store
        self._presence = presence
        self._live = live
        self._reads = reads
        self._directory = directory

    async def poll(self, user: User, limit: int, after: int | None, wait: float) -> Page:
        """What the user has not read, oldest first.

        :param after: read after this id instead of the cursor; it also acknowledges
            all up to it.
        :param wait: if there is nothing, wait so many seconds for something.
        :raises StoreUnavailable: if the store can't be read.
        """
        if after is not None:
            await self.position(user, after)
        return await self.peek(user, limit, after, wait)

    async def peek(self, user: User, limit: int, after: int | None, wait: float = 0) -> Page:
        """What :meth:`poll` returns; it acknowledges nothing.

        :raises StoreUnavailable: if the store can't be read.
        """
        cursor = await self._store.cursor(user.id) if after is None else after
        if wait <= 0:
            return await self._page_after(user, cursor, limit)
        end = (await self._live.recent()).last_id
        page = await self._page_after(user, cursor, limit)
        if not page.messages:
            # There is nothing up to the end, but perhaps something came since.
            await self._wait(user, max(cursor, end), wait)
            page = await self._page_after(user, cursor, limit)
        return page

    async def position(self, user: User, after: int | None = None) -> int:
        """Where a user reads on: after an id, which acknowledges it, or at the cursor.

        :raises StoreUnavailable: if the store can't be read.
        """
        cursor = await self._store.cursor(user.id)
        if after is None:
            return cursor
        # Nobody can have read what is not yet there.
        read = min(after, (await self._live.recent()).last_id)
        if read > cursor:
            self.acknowledge(user, read)
        return after

    def acknowledge(self, user: User, cursor: int) -> None:
        """Note that the user has read all up to an id; a cursor never goes back."""
        self._store.save_progress(user.id, cursor, self._presence.now())

    async def cursor(self, user: User) -> int:
        """Up to where a user has read.

        :raises StoreUnavailable: if the store can't be read.
        """
        return await self._store.cursor(user.id)

    async def follow(self, user: User, after: int | None) -> AsyncGenerator[Message, None]:
        """Every message of the user's feed, and then each as it is committed, in id order.

        A message counts as read when the next one is asked for.

        :param after: begin after this id, instead of at the user's cursor.
        :raises StoreUnavailable: if the store can't be read, and when the chat stops.
        """
        cursor = await self.position(user, after)
        while True:
            end = (await self._live.recent()).last_id
            messages = await self._live.read(user.id, cursor, DEFAULT_LIMIT)
            for message in messages:
                yield message
                cursor = message.id
                self.acknowledge(user, cursor)
            if not messages and not await self._wait(user, max(cursor, end), _LONG):
                raise StoreUnavailable("The chat is about to stop.")

    async def general_history(self, user: User, limit: int, before: int | None) -> Page:
        """The newest messages of the general chat, or those before an id.

        :raises StoreUnavailable: if the store can't be read.
        """
        found = await self._reads.general(before, limit)
        return await self._history(user, found, limit)

    async def private_history(
        self, user: User, other_id: int, limit: int, before: int | None
    ) -> Page:
        """The newest messages between two users, or those before an id.

        :raises UnknownRecipient: if nobody has the other id.
        :raises StoreUnavailable: if the store can't be read.
        """
        other = await self._directory.by_id(other_id)
        found = await self._reads.private(user.id, other.id, before, limit)
        return await self._history(user, found, limit)

    async def _page_after(self, user: User, cursor: int, limit: int) -> Page:
        found = self._live.known(user.id, cursor, limit + 1)
        if found is None:
            # What is recent is known from now on, if it was not yet.
            await self._live.recent()
            found = self._live.known(user.id, cursor, limit + 1)
        if found is None:
            found = await self._reads.feed(user.id, cursor, limit)
        if not found:
            return Page(found, cursor, more=False)
        count = min(limit, how_many_fit(found, len(found)))
        more = len(found) > count
        messages = found[:count] if more else found
        return Page(messages, messages[-1].id, more)

    async def _history(self, user: User, found: list[Message], limit: int) -> Page:
        count = min(limit, how_many_fit(reversed(found), len(found)))
        cursor = await self._store.cursor(user.id)
        return Page(found[len(found) - count :], cursor, more=len(found) > count)

    async def _wait(self, user: User, cursor: int, seconds: float) -> bool:
        with self._presence.held(user.id):
            return await self._live.wait(user.id, cursor, seconds)
