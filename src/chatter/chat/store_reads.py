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

        async def part(found: list[Message], count: int) -> list[Message]:
            last = found[-1].id if found else after
            return found + await self._store.read_feed(user_id, last, count)

        return await self._read(part, limit)

    async def general(self, before: int | None, limit: int) -> list[Message]:
        """The newest messages of the general chat, or those before an id, oldest first.

        :raises StoreUnavailable: if the store can't be read.
        """

        async def part(found: list[Message], count: int) -> list[Message]:
            first = found[0].id if found else before
            return await self._store.read_general(first, count) + found

        return await self._read(part, limit, newest=True)

    async def private(
        self, user_id: int, other_id: int, before: int | None, limit: int
    ) -> list[Message]:
        """The newest messages between two users, or those before an id, oldest first.

        :raises StoreUnavailable: if the store can't be read.
        """

        async def part(found: list[Message], count: int) -> list[Message]:
            first = found[0].id if found else before
            return await self._store.read_private(user_id, other_id, first, count) + found

        return await self._read(part, limit, newest=True)

    async def _read(self, part: ReadPart, limit: int, *, newest: bool = False) -> list[Message]:
        found: list[Message] = []
        async with self._turns.turn():
            count = _FIRST_PART
            while len(found) <= limit:
                before = len(found)
                wanted = min(count, limit + 1 - before)
                found = await part(found, wanted)
                in_order = reversed(found) if newest else found
                if len(found) < before + wanted or how_many_fit(in_order, len(found)) < len(found):
                    break
                count *= 4
        return found
