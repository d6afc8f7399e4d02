"""Reading: each reader is a cursor into the log.

A poll reads what is in a user's feed after a position, and changes nothing.  That the
response arrived is a second step, :meth:`Reading.acknowledge`, which moves the user's
cursor.  So a response that is lost on the way is simply read again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET
from msgspec.structs import replace

from chatter.chat.reading.pages import has_news, page_of
from chatter.protocol.model import Gap, Page
from chatter.protocol.response_size import how_many_fit

if TYPE_CHECKING:
    from chatter.chat.delivery.live import Live
    from chatter.chat.reading.store_reads import StoreReads
    from chatter.chat.users.directory import Directory
    from chatter.chat.users.presence import Presence
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import Message, User


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

    async def poll(
        self,
        user: User,
        limit: int,
        after: int | None,
        wait: float,
        epoch: str | None = None,
        *,
        changes: bool = False,
    ) -> Page:
        """What the user has not read, oldest first.

        :param after: read after this id instead of the cursor; it also acknowledges
            all up to it.
        :param wait: if there is nothing, wait so many seconds for something.
        :param epoch: as for :meth:`peek`, and so is ``changes``.
        :raises StoreUnavailable: if the store can't be read.
        """
        if epoch is None:
            if after is None:
                cursor = await self._store.cursor(user.id)
            else:
                cursor = await self.position(user, after)
            if wait <= 0:
                page = await self.page_after(user, cursor, limit, changes)
            else:
                page = await self._page_or_wait(user, cursor, limit, wait, changes=changes)
            if after is None and page.cursor > cursor:
                self._pass_over(user, page)
            return page
        if after is not None:
            await self.position(user, await self.resumed(after, epoch))
        page = await self.peek(user, limit, after, wait, epoch, changes=changes)
        if after is None and page.cursor > await self._store.cursor(user.id):
            self._pass_over(user, page)
        return page

    def _pass_over(self, user: User, page: Page) -> None:
        """Move a user on over changes that nobody wants: they can't be lost on the way."""
        if not has_news(page):
            self.acknowledge(user, page.cursor)

    async def peek(
        self,
        user: User,
        limit: int,
        after: int | None,
        wait: float = 0,
        epoch: str | None = None,
        *,
        changes: bool = False,
    ) -> Page:
        """What :meth:`poll` returns; it acknowledges nothing.

        :param changes: whether the page has changes, too; they count for the limit.
        :param epoch: the one that ``after`` belongs to, or ``""`` if it is not known; the
            page has the epoch of its cursor then.
        :raises StoreUnavailable: if the store can't be read.
        """
        if epoch is None:
            cursor = await self._store.cursor(user.id) if after is None else after
            return await self._page_or_wait(user, cursor, limit, wait, changes=changes)
        lineage = self._store.lineage
        if after is None:
            cursor = await self._store.cursor(user.id)
        else:
            cursor = await self.resumed(after, epoch)
        page = await self._page_or_wait(user, cursor, limit, wait, changes=changes)
        if self._store.lineage is not lineage:
            # The log became another one meanwhile.
            return await self.peek(user, limit, after, 0, epoch, changes=changes)
        moved_from = UNSET if after is None or after == cursor else after
        return replace(page, epoch=lineage.current, moved_from=moved_from)

    async def resumed(self, after: int, epoch: str) -> int:
        """Where a reader goes on that has read up to an id of an epoch: not after that.

        :param epoch: ``""`` if it is not known.
        :raises StoreUnavailable: if the store can't be read.
        """
        if epoch:
            return self._store.lineage.shared(epoch, after)
        return min(after, (await self._live.recent()).last_id)

    async def _page_or_wait(
        self, user: User, cursor: int, limit: int, wait: float, *, changes: bool
    ) -> Page:
        if wait <= 0:
            return await self.page_after(user, cursor, limit, changes)
        end = (await self._live.recent()).last_id
        page = await self.page_after(user, cursor, limit, changes)
        if not has_news(page):
            # There is nothing up to the end, but perhaps something came since.
            await self.wait(user, max(cursor, end), wait, changes=changes)
            page = await self.page_after(user, page.cursor, limit, changes)
        return page

    async def page_after(self, user: User, cursor: int, limit: int, changes: bool) -> Page:
        """What a user may see after a position.

        :raises StoreUnavailable: if the store can't be read.
        """
        recent = self._live.newest_stretch or await self._live.recent()
        if cursor >= recent.last_id:
            # Most polls find nothing.
            return Page([], cursor, more=False)
        if cursor < recent.complete_after:
            return await self._stored_page_after(user, cursor, limit, changes=changes)
        longest_text = recent.longest_text
        if not changes:
            messages, until = recent.messages(user.id, cursor, limit + 1)
            return page_of(messages, until, limit, False, longest_text)
        entries = recent.feed(user.id, cursor, limit + 1)
        return page_of(entries, cursor, limit, True, longest_text)

    async def wait(self, user: User, cursor: int, seconds: float, *, changes: bool) -> bool:
        """Wait for an entry of a user's feed after a position, while the user is online.

        :returns: ``False`` if it was ended because the chat is about to stop.
        """
        with self._presence.held(user.id):
            return await self._live.wait(user.id, cursor, seconds, changes=changes)

    async def position(self, user: User, after: int | None = None) -> int:
        """Where a user reads on: after an id, which acknowledges it, or at the cursor.

        :raises StoreUnavailable: if the store can't be read.
        """
        cursor = await self._store.cursor(user.id)
        if after is None:
            return cursor
        read = min(after, (await self._live.recent()).last_id)
        if read > cursor:
            self.acknowledge(user, read)
        return after

    def acknowledge(self, user: User, cursor: int) -> None:
        """Note that the user has read all up to an id; a cursor never goes back.

        Nobody can have read what is not yet there.
        """
        cursor = min(cursor, self._live.newest_known(cursor))
        self._store.save_progress(user.id, cursor, self._presence.now())

    async def cursor(self, user: User) -> int:
        """Up to where a user has read.

        :raises StoreUnavailable: if the store can't be read.
        """
        return await self._store.cursor(user.id)

    async def general_history(
        self, user: User, limit: int, before: int | None, *, changes: bool = False
    ) -> Page:
        """The newest messages of the general chat, or those before an id.

        :param changes: whether the page says as of which entry it is.
        :raises StoreUnavailable: if the store can't be read.
        """
        as_of = (await self._live.recent()).last_id if changes else 0
        recent = self._live.newest_stretch
        known = None if recent is None else recent.general(before, limit + 1)
        found = await self._reads.general(before, limit) if known is None else known
        page = await self._history(user, found, limit)
        return replace(page, as_of=as_of) if changes else page

    async def private_history(
        self, user: User, other_id: int, limit: int, before: int | None, *, changes: bool = False
    ) -> Page:
        """The newest messages between two users, or those before an id.

        :param changes: whether the page says as of which entry it is.
        :raises UnknownRecipient: if nobody has the other id.
        :raises StoreUnavailable: if the store can't be read.
        """
        other = await self._directory.by_id(other_id)
        as_of = (await self._live.recent()).last_id if changes else 0
        found = await self._reads.private(user.id, other.id, before, limit)
        page = await self._history(user, found, limit)
        return replace(page, as_of=as_of) if changes else page

    def may_have_edited(self, messages: list[Message]) -> bool:
        """Whether some messages of a feed, just read, may have been edited; there must be one."""
        recent = self._live.newest_stretch
        return recent is None or messages[0].id <= recent.edited_until

    async def _stored_page_after(
        self, user: User, cursor: int, limit: int, *, changes: bool
    ) -> Page:
        """A page that only the store has: there may be a gap before it."""
        store = self._store
        kept_after = -1
        while kept_after < store.kept_after:
            # While it was read, more than that may have gone.
            kept_after = store.kept_after
            start = max(cursor, kept_after)
            known = await self._reads.feed(user.id, start, limit, changes=changes)
        page = page_of(*known, limit, changes)
        if self._live.newest_stretch is not None:
            self._live.newest_stretch.note_edited(page.messages)
        return replace(page, gap=Gap(cursor, start)) if cursor < start else page

    async def _history(self, user: User, found: list[Message], limit: int) -> Page:
        count = min(limit, how_many_fit(found[::-1]))
        cursor = await self._store.cursor(user.id)
        more = len(found) > count
        page = Page(found[len(found) - count :], cursor, more=more)
        kept_after = self._store.kept_after
        return replace(page, kept_after=kept_after) if kept_after and not more else page
