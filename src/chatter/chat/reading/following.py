"""Following the feed of a user from Python: what there is, and then each entry as it comes."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import UNSET

from chatter.chat.reading.pages import has_news
from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.model import Message
from chatter.protocol.queries import DEFAULT_LIMIT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from chatter.chat.delivery.live import Live
    from chatter.chat.moderation.standings import Standings
    from chatter.chat.reading.reading import Reading
    from chatter.chat.users.directory import Directory
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import Change, Gap, User

_id_of = attrgetter("id")

_LONG = 3600.0
"""A follower waits so many seconds for a message before it looks again."""


class Following:
    """Follows the feeds of users, page after page."""

    def __init__(
        self,
        store: IChatStore,
        live: Live,
        reading: Reading,
        directory: Directory,
        standings: Standings,
    ) -> None:
        self._store = store
        self._live = live
        self._reading = reading
        self._directory = directory
        self._standings = standings

    async def follow(self, user: User, after: int | None) -> AsyncGenerator[Message, None]:
        """The messages of :meth:`follow_entries`."""
        async for entry in self._entries(user, after, changes=False):
            if isinstance(entry, Message):
                yield entry

    async def follow_entries(
        self, user: User, after: int | None
    ) -> AsyncGenerator[Message | Change | Gap, None]:
        """Every entry of the user's feed, and then each as it is committed, in id order.

        An entry counts as read when the next one is requested.  When the end of the log is
        lost, it goes on with what is new in its place.  A gap stands where entries are no
        longer kept.

        :param after: begin after this id, instead of at the user's cursor.
        :raises Unauthorized: if the user is not one of this chat.
        :raises Banned: if the user is banned, also later.
        :raises StoreUnavailable: if the store can't be read, and when the chat stops.
        """
        async for entry in self._entries(user, after, changes=True):
            yield entry

    async def _entries(
        self, user: User, after: int | None, *, changes: bool
    ) -> AsyncGenerator[Message | Change | Gap, None]:
        await self._directory.check(user)
        await self._standings.known()
        lineage = self._store.lineage
        cursor = await self._reading.position(user, after)
        while True:
            self._standings.check(user.id)
            if lineage is not self._store.lineage:
                cursor = self._store.lineage.shared(lineage.current, cursor)
                lineage = self._store.lineage
            end = (await self._live.recent()).last_id
            page = await self._reading.page_after(user, cursor, DEFAULT_LIMIT, changes)
            if page.gap is not UNSET:
                yield page.gap
                cursor = page.gap.until
                self._reading.acknowledge(user, cursor)
            for entry in sorted([*page.messages, *(page.changes or ())], key=_id_of):
                yield entry
                self._standings.check(user.id)
                cursor = entry.id
                self._reading.acknowledge(user, cursor)
            if has_news(page):
                continue
            # There is nothing up to the end.
            cursor = max(page.cursor, end)
            if not await self._reading.wait(user, cursor, _LONG, changes=changes):
                raise StoreUnavailable("The chat is about to stop.")
