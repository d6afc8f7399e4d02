"""The users of the chat: the names behind the ids, requested once and kept.

A user's name and id never change, so what is known stays true while the connection does.
A server that was away may come back with an older state, in which an id belongs to somebody
else: a private message must not go there.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from msgspec import Struct

from chatter.protocol.names import fold
from chatter.protocol.queries import MAX_LIMIT
from chatter.protocol.scalars import MAX_NAME

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from chatter.client import ChatClient
    from chatter.protocol.bodies import Participant, Users

MOST = 200_000
"""So many users are listed at most."""

_SAME_BEGINNING = 100
"""So many users whose names begin with a name are looked at; that name itself comes first."""


class Online(Struct, frozen=True):
    """Who is online.

    :ivar names: the names of some of them.
    :ivar online: how many they are.
    :ivar users: of how many users.
    :ivar is_whole: whether that is all users, and not only the first ones.
    """

    names: list[str]
    online: int
    users: int
    is_whole: bool


class People:
    """The participants that the client knows of.

    Each method that is awaited raises what :class:`chatter.ChatClient` raises.
    """

    def __init__(self, client: ChatClient) -> None:
        self._client = client
        self._names: dict[int, str] = {}
        self._ids: dict[str, int] = {}
        self._listed_up_to = 0
        self._for_completion: set[str] = set()

    @property
    def names(self) -> Iterable[str]:
        """Every name that was ever known."""
        return self._for_completion

    def forget(self) -> None:
        """Forget whose the ids are."""
        self._names.clear()
        self._ids.clear()
        self._listed_up_to = 0

    def name_of(self, user_id: int) -> str | None:
        """The name of a user; ``None`` for one whom the server does not list."""
        return self._names.get(user_id)

    async def meet(self, user_ids: Iterable[int]) -> None:
        """Learn the names of these users, as far as they are not known yet."""
        for user_id in sorted(set(user_ids)):
            if user_id not in self._names:
                self._learn((await self._client.users(user_id - 1)).users)

    async def meet_some(self) -> None:
        """Learn the names of the first users, so that they can be completed."""
        await self._next_page(0)

    async def id_of(self, name: str) -> int | None:
        """The id of the user with that name, in whatever case; ``None`` if there is none."""
        folded = fold(name)
        if folded and folded not in self._ids:
            found = (await self._client.users_by_prefix(folded[:MAX_NAME], _SAME_BEGINNING)).users
            self._learn(found)
            if not all(fold(user.name).startswith(folded[:MAX_NAME]) for user in found):
                await self._list_all()
        return self._ids.get(folded)

    async def _list_all(self) -> None:
        """Learn all names, from a server of an older version that can't look one up."""
        async with aclosing(self._pages(self._listed_up_to)) as pages:
            async for _ in pages:
                pass

    async def online(self, most: int) -> Online:
        """Who is online now.

        :param most: so many names are enough.
        """
        some: list[str] = []
        online = users = 0
        async for page in self._pages(0):
            here = [user.name for user in page if user.online]
            some += here[: most - len(some)]
            online += len(here)
            users += len(page)
        return Online(some, online, users, is_whole=users < MOST)

    async def _pages(self, after: int) -> AsyncGenerator[list[Participant], None]:
        """The users behind an id, page by page: all, or :data:`MOST`."""
        count, more = 0, True
        while more:
            page = await self._next_page(after)
            yield page.users
            count += len(page.users)
            more = page.more and count < MOST
            if page.users:
                after = page.users[-1].id

    async def _next_page(self, after: int) -> Users:
        page = await self._client.users(after, MAX_LIMIT)
        self._learn(page.users)
        if page.users and after <= self._listed_up_to:
            self._listed_up_to = max(self._listed_up_to, page.users[-1].id)
        return page

    def _learn(self, participants: list[Participant]) -> None:
        for user in participants:
            # A server may send what is no name; no more of it is kept than shows that.
            name = user.name[: MAX_NAME + 1]
            self._names[user.id] = name
            self._ids[fold(name)] = user.id
            self._for_completion.add(name)
