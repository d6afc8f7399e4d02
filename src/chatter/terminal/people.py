"""The users of the chat: the names behind the ids, requested once and kept.

A user's name and id never change, so what is known stays true, and only users who came
since have to be requested.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from chatter.client import UnexpectedResponse
from chatter.protocol.bodies import MAX_LIMIT
from chatter.protocol.names import fold

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from chatter.client import ChatClient
    from chatter.protocol.bodies import Participant, Users

MOST = 1_000_000
"""A list with more users than this is taken for one without an end."""


class People:
    """The participants that the client knows of.

    Each method that is awaited raises what :class:`~chatter.client.ChatClient` raises.
    """

    def __init__(self, client: ChatClient) -> None:
        self._client = client
        self._names: dict[int, str] = {}
        self._ids: dict[str, int] = {}
        self._listed_up_to = 0

    @property
    def names(self) -> Iterable[str]:
        """Every name that is known."""
        return self._names.values()

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
        if folded not in self._ids:
            async with aclosing(self._pages(self._listed_up_to)) as pages:
                async for _ in pages:
                    if folded in self._ids:
                        break
        return self._ids.get(folded)

    async def online(self, most: int) -> tuple[list[str], int, int]:
        """The names of some who are online, how many are, and how many users there are."""
        some: list[str] = []
        online = users = 0
        async for page in self._pages(0):
            here = [user.name for user in page if user.online]
            some += here[: most - len(some)]
            online += len(here)
            users += len(page)
        return some, online, users

    async def _pages(self, after: int) -> AsyncGenerator[list[Participant], None]:
        """All users behind an id, page by page.

        :raises UnexpectedResponse: if the list has no end.
        """
        count, more = 0, True
        while more:
            page = await self._next_page(after)
            yield page.users
            count += len(page.users)
            more = page.more
            if count > MOST:
                raise UnexpectedResponse("The server's list of users has no end.")
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
            self._names[user.id] = user.name
            self._ids[fold(user.name)] = user.id
