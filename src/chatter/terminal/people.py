"""Who is in the chat: the names behind the ids, asked for once and kept.

A user's name and id never change, so what is known stays true, and only users
who came since have to be asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.protocol.bodies import MAX_LIMIT
from chatter.protocol.names import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chatter.client import ChatClient
    from chatter.protocol.bodies import Participant


class People:
    """The participants that the client knows of."""

    def __init__(self, client: ChatClient) -> None:
        self._client = client
        self._names: dict[int, str] = {}

    @property
    def names(self) -> Iterable[str]:
        """Every name that is known."""
        return self._names.values()

    def name_of(self, user_id: int) -> str:
        """The name of a user; a stand-in for one whom the server does not list."""
        return self._names.get(user_id, f"user {user_id}")

    async def meet(self, user_ids: Iterable[int]) -> None:
        """Learn the names of these users, as far as they are not known yet."""
        for user_id in sorted(set(user_ids)):
            if user_id not in self._names:
                self._learn((await self._client.users(user_id - 1)).users)

    async def update(self) -> None:
        """Learn who came since the last one that is known."""
        await self._list(max(self._names, default=0))

    async def all(self) -> list[Participant]:
        """Everybody, as of now."""
        return await self._list(0)

    async def id_of(self, name: str) -> int | None:
        """The id of the user with that name, in whatever case; ``None`` if there is none."""
        found = self._known_id(name)
        if found is None:
            await self.update()
            found = self._known_id(name)
        return found

    async def _list(self, after: int) -> list[Participant]:
        found: list[Participant] = []
        more = True
        while more:
            page = await self._client.users(after, MAX_LIMIT)
            self._learn(page.users)
            found += page.users
            more = page.more
            if page.users:
                after = page.users[-1].id
        return found

    def _learn(self, participants: list[Participant]) -> None:
        self._names.update((user.id, user.name) for user in participants)

    def _known_id(self, name: str) -> int | None:
        folded = fold(name)
        return next((id_ for id_, known in self._names.items() if fold(known) == folded), None)
