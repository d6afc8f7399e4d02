"""The standing of users in the store in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from zope.interface import implementer

from chatter.log.entries import standing_change
from chatter.log.moderation import IModerationStore
from chatter.protocol.errors import UnknownRecipient
from chatter.protocol.model import Standing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container

    from chatter.log.entries import StandingChange, StandingDraft


@implementer(IModerationStore)
class MemoryModeration:
    """The part of a store in memory that knows what users may do.

    :param check: raises unless the store is open.
    :param users: the ids of all users.
    :param next_id: gives the id of a new entry.
    :param append: appends it.
    """

    def __init__(
        self,
        check: Callable[[], Awaitable[None]],
        users: Container[int],
        next_id: Callable[[], int],
        append: Callable[[StandingChange], None],
    ) -> None:
        self._check = check
        self._users = users
        self._next_id = next_id
        self._append = append
        self._standings: dict[int, Standing] = {}

    async def set_standing(self, draft: StandingDraft) -> StandingChange:
        """Change a user's standing."""
        await self._check()
        if draft.user_id not in self._users:
            raise UnknownRecipient(f"There is no user {draft.user_id}.")
        earlier = self._standings.get(draft.user_id, Standing(draft.user_id))
        standing = self._standings[draft.user_id] = _changed(earlier, draft)
        entry = standing_change(self._next_id(), draft, standing)
        self._append(entry)
        return entry

    async def standings(self) -> list[Standing]:
        """The standing of each user who has one."""
        await self._check()
        return [self._standings[user_id] for user_id in sorted(self._standings)]


def _changed(standing: Standing, draft: StandingDraft) -> Standing:
    if draft.what == "role":
        return replace(standing, role=draft.role)
    if draft.what == "mute":
        return replace(standing, muted_until=draft.until)
    return replace(standing, banned_until=draft.until)
