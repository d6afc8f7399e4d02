"""Pages that are read from the store: no larger than a response, and a few at a time.

What is read takes memory until it was sent.  So a page is read in parts, of which the
first is all of it in most cases, until it has as many bytes as a response may have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from chatter.chat.turns import Turns
from chatter.log.entries import messages_of
from chatter.protocol.queries import MAX_LIMIT
from chatter.protocol.response_size import how_many_fit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from chatter.log.entries import Entry
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import Message

    ReadPart: TypeAlias = Callable[[list[Message], int], Awaitable[list[Message]]]

READERS = 8
"""So many pages are read at a time."""

_FIRST_PART = 128
"""A page is read in one part if it has fewer messages."""


class StoreReads:
    """Reads pages from a store.

    Each method returns one entry more than a page has, or some more, if there are more.
    """

    def __init__(self, store: IChatStore) -> None:
        self._store = store
        self._turns = Turns(READERS)

    async def feed(
        self, user_id: int, after: int, limit: int, *, changes: bool
    ) -> tuple[list[Entry], int]:
        """What a user may see after an id, oldest first; and the id up to which the log was read.

        :param changes: whether changes are wanted; else they are passed over.
        :raises StoreUnavailable: if the store can't be read.
        """
        found: list[Entry] = []
        passed_over = False
        count = _FIRST_PART
        async with self._turns:
            while True:
                wanted = count if passed_over else min(count, limit + 1 - len(found))
                more = await self._store.read_feed(user_id, after, wanted)
                new: Sequence[Entry] = more if changes else messages_of(more)
                found += new
                after = more[-1].id if more else after
                if len(more) < wanted or len(found) > limit:
                    break
                if how_many_fit(found) < len(found):
                    break
                passed_over = len(new) < len(more)
                count = min(count * 4, MAX_LIMIT)
        return found, after

    async def general(self, before: int | None, limit: int) -> list[Message]:
        """The newest messages of the general chat, or those before an id, oldest first.

        :raises StoreUnavailable: if the store can't be read.
        """
        store = self._store
        if limit < _FIRST_PART:
            async with self._turns:
                return await store.read_general(before, limit + 1)
        return await self._read(
            lambda found, count: store.read_general(found[0].id if found else before, count),
            limit,
        )

    async def private(
        self, user_id: int, other_id: int, before: int | None, limit: int
    ) -> list[Message]:
        """The newest messages between two users, or those before an id, oldest first.

        :raises StoreUnavailable: if the store can't be read.
        """
        store = self._store
        if limit < _FIRST_PART:
            async with self._turns:
                return await store.read_private(user_id, other_id, before, limit + 1)
        return await self._read(
            lambda found, count: store.read_private(
                user_id, other_id, found[0].id if found else before, count
            ),
            limit,
        )

    async def _read(self, part: ReadPart, limit: int) -> list[Message]:
        """Read part after part of a history, from the newest messages to older ones.

        :param part: reads so many messages beyond those that were found.
        """
        found: list[Message] = []
        count = _FIRST_PART
        async with self._turns:
            while True:
                wanted = min(count, limit + 1 - len(found))
                more = await part(found, wanted)
                found = more + found
                if len(more) < wanted or len(found) > limit:
                    return found
                if how_many_fit(found[::-1]) < len(found):
                    return found
                count *= 4
