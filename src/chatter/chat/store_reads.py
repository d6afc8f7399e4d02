"""Pages that are read from the store: no larger than a response, and a few at a time.

What is read takes memory until it was sent.  So a page is read in parts, of which the
first is all of it in most cases, until it has as many bytes as a response may have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from chatter.chat.turns import Turns
from chatter.protocol.sizes import how_many_fit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import Message

    ReadPart: TypeAlias = Callable[[list[Message], int], Awaitable[list[Message]]]

READERS = 8
"""So many pages are read at a time."""

_FIRST_PART = 128
"""A page is read in one part if it has fewer messages."""


class StoreReads:
    """Reads pages from a store.

    Each method returns one message more than a page has, if there is one more.
    """

    def __init__(self, store: IChatStore) -> None:
        self._store = store
        self._turns = Turns(READERS)

    async def feed(self, user_id: int, after: int, limit: int) -> list[Message]:
        """What a user may see after an id, oldest first.

        :raises StoreUnavailable: if the store can't be read.
        """
        store = self._store
        return await self._read(
            lambda found, count: store.read_feed(user_id, found[-1].id if found else after, count),
            limit,
        )

    async def general(self, before: int | None, limit: int) -> list[Message]:
        """The newest messages of the general chat, or those before an id, oldest first.

        :raises StoreUnavailable: if the store can't be read.
        """
        store = self._store
        return await self._read(
            lambda found, count: store.read_general(found[0].id if found else before, count),
            limit,
            newest=True,
        )

    async def private(
        self, user_id: int, other_id: int, before: int | None, limit: int
    ) -> list[Message]:
        """The newest messages between two users, or those before an id, oldest first.

        :raises StoreUnavailable: if the store can't be read.
        """
        store = self._store
        return await self._read(
            lambda found, count: store.read_private(
                user_id, other_id, found[0].id if found else before, count
            ),
            limit,
            newest=True,
        )

    async def _read(self, part: ReadPart, limit: int, *, newest: bool = False) -> list[Message]:
        """Read part after part.

        :param part: reads so many messages beyond those that were found.
        :param newest: whether they are read from the newest to older ones.
        """
        found: list[Message] = []
        count = _FIRST_PART
        async with self._turns:
            while True:
                wanted = min(count, limit + 1 - len(found))
                more = await part(found, wanted)
                found = more + found if newest else found + more
                if len(more) < wanted or len(found) > limit:
                    return found
                if how_many_fit(found[::-1] if newest else found) < len(found):
                    return found
                count *= 4
