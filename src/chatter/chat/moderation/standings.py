"""What users may do, as each node knows it: who moderates, who is muted, who is banned.

The truth is in the store, and each change of it is an entry of the log.  A node reads all of it
once, and from then on it is told by the log.  So a request only looks a user up
in a dict, which is empty in most chats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.chat.moderation.address_bans import AddressBans
from chatter.log.entries import AddressBan, StandingChange, UserErased
from chatter.protocol.errors import Banned, Forbidden, Muted, Unauthorized
from chatter.protocol.model import Standing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chatter.chat.users.access import Access
    from chatter.chat.users.presence import Presence
    from chatter.log.entries import Entry
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import User

_REMEMBERED = 10_000
"""Of so many users it is known that they have left, which takes effect within seconds."""


class Standings:
    """What the users of a chat may do.

    :param access: whose, of a user who is banned now, ends.

    :ivar is_known: whether it was read from the store, so that what follows can be relied on.
    :ivar moderators: the ids of those.
    :ivar muted: until when each user is muted; it may be over.
    :ivar banned: until when each user is banned; it may be over.
    :ivar left: the ids of those who have left for good lately; the values are nothing.
    :ivar addresses: from which addresses nobody may use the chat.

    The four collections stay the same objects.
    """

    def __init__(self, store: IChatStore, presence: Presence, access: Access) -> None:
        self._store = store
        self._presence = presence
        self._access = access
        self._heard: dict[int, Standing] = {}
        self._heard_networks: dict[str, datetime | None] = {}
        self._rewinds = 0
        self.is_known = False
        self.moderators: set[int] = set()
        self.muted: dict[int, datetime] = {}
        self.banned: dict[int, datetime] = {}
        self.left: dict[int, None] = {}
        self.addresses = AddressBans(presence.now)

    def forget(self) -> None:
        """Know nothing: the store may have been replaced while it was closed."""
        self.rewind()
        for known in (self.moderators, self.muted, self.banned):
            known.clear()
        self.addresses.learn(())

    def rewind(self) -> None:
        """Have all of it read anew: the end of the log was lost.  Until then it stays in force."""
        self._rewinds += 1
        self._access.renew()
        self._heard.clear()
        self._heard_networks.clear()
        self.left.clear()
        self.is_known = False

    def hear(self, changes: Sequence[Entry]) -> None:
        """Take note of what the log tells of."""
        has_banned = False
        for change in changes:
            if isinstance(change, AddressBan):
                if not self.is_known:
                    self._heard_networks[change.network] = change.until
                self.addresses.set(change.network, change.until)
                has_banned = has_banned or change.until is not None
            elif isinstance(change, StandingChange):
                self._hear(
                    Standing(
                        change.recipient_id, change.role, change.muted_until, change.banned_until
                    )
                )
            elif isinstance(change, UserErased):
                self.left[change.sender_id] = None
                if len(self.left) > _REMEMBERED:
                    del self.left[next(iter(self.left))]
                self._hear(Standing(change.sender_id))
        if has_banned:
            # Once for all of them: it looks at each event stream.
            self._access.end_banned_addresses()

    def _hear(self, standing: Standing) -> None:
        if not self.is_known:
            self._heard[standing.user_id] = standing
        self._set(standing)

    async def known(self) -> None:
        """Wait until it is known what users may do.

        :raises StoreUnavailable: if the store can't be read.
        """
        while not self.is_known:
            rewinds = self._rewinds
            found = await self._store.moderation.standings()
            banned = await self._store.moderation.banned_addresses()
            if not self.is_known and rewinds == self._rewinds:
                self._learn({standing.user_id: standing for standing in found})
                self.addresses.learn(banned)
                for network, until in self._heard_networks.items():
                    self.addresses.set(network, until)
                self._heard_networks.clear()
                self.is_known = True
                if self.addresses.until:
                    self._access.end_banned_addresses()

    def _learn(self, found: dict[int, Standing]) -> None:
        # What was heard meanwhile is newer, or as new.
        found.update(self._heard)
        self._heard.clear()
        for user_id in {*self.moderators, *self.muted, *self.banned} - found.keys():
            self._set(Standing(user_id))
        for standing in found.values():
            self._set(standing)

    def _set(self, standing: Standing) -> None:
        user_id = standing.user_id
        if standing.role == "moderator":
            self.moderators.add(user_id)
        else:
            self.moderators.discard(user_id)
        _note(self.muted, user_id, standing.muted_until)
        _note(self.banned, user_id, standing.banned_until)
        if user_id in self.banned and self._is_on(self.banned, user_id) is not None:
            self._access.end(user_id)

    def check(self, user_id: int) -> None:
        """See whether a user may use the chat.

        :raises Banned: if the user is banned.
        """
        until = self._is_on(self.banned, user_id)
        if until is not None:
            raise Banned(until)

    def is_away(self, user_id: int) -> bool:
        """Whether a user is banned now, or has left for good lately."""
        return user_id in self.left or self._is_on(self.banned, user_id) is not None

    async def of_user(self, user_id: int) -> Standing | None:
        """What a user may do; ``None`` if that is what every member may.

        :raises StoreUnavailable: if the store can't be read.
        """
        await self.known()
        standing = Standing(
            user_id,
            "moderator" if user_id in self.moderators else "member",
            self.muted_until(user_id),
            self._is_on(self.banned, user_id),
        )
        return None if standing == Standing(user_id) else standing

    def check_is_there(self, user_id: int) -> None:
        """See whether a user has left for good since the token was looked up.

        :raises Unauthorized: if so.
        """
        if user_id in self.left:
            raise Unauthorized("The user has left.")

    def check_may_write(self, user_id: int) -> None:
        """See whether a user may send, edit and report.

        :raises Muted: if the user is muted.
        """
        until = self.muted_until(user_id)
        if until is not None:
            raise Muted(until)

    def muted_until(self, user_id: int) -> datetime | None:
        """Until when a user is muted; ``None`` if the user is not."""
        return self._is_on(self.muted, user_id)

    async def check_moderates(self, user: User) -> None:
        """See whether a user is a moderator.

        :raises Forbidden: if not.
        :raises StoreUnavailable: if the store can't be read.
        """
        await self.known()
        if user.id not in self.moderators:
            raise Forbidden("Only a moderator may do this.")

    def _is_on(self, those: dict[int, datetime], user_id: int) -> datetime | None:
        """Until when a user is among those; ``None`` if not, or not any more."""
        until = those.get(user_id)
        if until is not None and until <= self._presence.now():
            del those[user_id]
            return None
        return until


def _note(those: dict[int, datetime], user_id: int, until: datetime | None) -> None:
    if until is None:
        those.pop(user_id, None)
    else:
        those[user_id] = until
