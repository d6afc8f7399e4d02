"""Sending within the limits of a chat.

What users send is counted as the log tells of it, on every node: so a limit holds over
all nodes of a chat, and nothing is counted that was not stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.chat.limits.limit import Limit
from chatter.chat.limits.meters import Window
from chatter.chat.limits.sent_before import SentBefore
from chatter.chat.messages.sending import Allowance
from chatter.log.limited_drafts import LimitReached
from chatter.protocol.errors import TooManyRequests
from chatter.protocol.model import Message

if TYPE_CHECKING:
    from chatter.chat.core import ChatCore
    from chatter.chat.limits.rate_limits import RateLimits
    from chatter.log.entries import Entry
    from chatter.protocol.model import User

_REMEMBERED_PAIRS = 20_000

_LOOKED_THROUGH = 50
"""So many of the newest messages between two users show whether they know each other."""


class LimitedSending:
    """Sends what a user may send now, with the methods of ``Sending``.

    Moderators have no limit.

    :ivar limits: those of sends, by name.
    """

    def __init__(self, core: ChatCore, limits: RateLimits) -> None:
        seconds = core.clock.seconds
        self._sending = core.sending
        self._moderators = core.standings.moderators
        self._store = core.store
        self._live = core.live
        self._private: tuple[Limit, ...] = ()
        if limits.send is not None:
            self._private = (Limit("send", limits.send, seconds),)
        self._general = self._private
        general: Limit | None = None
        self._sent_before: SentBefore | None = None
        self._window: Window | None = None
        if limits.general is not None:
            self._window = window = Window(limits.general, seconds)
            general = Limit("general", limits.general, seconds, window)
            self._general = (*self._private, general)
            self._sent_before = SentBefore(core.live, core.store, window, core.presence.now)
        self._stranger: Limit | None = None
        if limits.stranger is not None:
            self._stranger = Limit("stranger", limits.stranger, seconds)
        self.limits = {
            "send": self._private[0] if self._private else None,
            "general": general,
            "stranger": self._stranger,
        }
        # Whether the second of two users has ever written to the first; None before it was read.
        self._has_written: dict[tuple[int, int], bool | None] = {}
        core.live.add_counter(self._count)

    async def send(self, user: User, text: str, key: str | None) -> Message:
        """Send to the general chat.

        :raises TooManyRequests: if the user has sent too much lately.
        :raises Unauthorized: if the user has left meanwhile.
        :raises Muted: if the user may not send now.
        :raises Gone: if it was sent with the same key before, and withdrawn.
        :raises InvalidRequest: if the text or the key is not valid.
        :raises StoreUnavailable: if the store can't serve.
        """
        while True:
            if self._sent_before is not None:
                await self._sent_before.counted()
            limits = self._general if user.id not in self._moderators else ()
            try:
                _begin(limits, user.id)
            except TooManyRequests as rejection:
                return await self._sending.sent_or_refused(user, key, rejection)
            try:
                within = await self._allowance(user) if limits else None
                return await self._sending.send(user, text, key, within)
            except LimitReached:
                # What was sent at another node is counted now.
                continue
            finally:
                _end(limits, user.id)

    async def _allowance(self, user: User) -> Allowance | None:
        if self._window is None:
            return None
        # The id first: rather count one twice than not at all.
        counted_until = (await self._live.recent()).last_id
        return Allowance(counted_until, self._window.remaining(user.id))

    async def send_private(
        self, user: User, recipient_id: int, text: str, key: str | None
    ) -> Message:
        """Send to one user.

        :raises TooManyRequests: if the user has sent too much lately, or to too many strangers.
        :raises Unauthorized: if the user has left meanwhile.
        :raises Muted: if the user may not send now.
        :raises Gone: if it was sent with the same key before, and withdrawn.
        :raises InvalidRequest: if the text or the key is not valid.
        :raises UnknownRecipient: if nobody has that id, or the user has left for good.
        :raises StoreUnavailable: if the store can't serve.
        """
        if user.id in self._moderators:
            return await self._sending.send_private(user, recipient_id, text, key)
        limits = self._private
        try:
            _begin(limits, user.id)
        except TooManyRequests as rejection:
            return await self._sending.sent_or_refused(user, key, rejection)
        try:
            if (
                self._stranger is not None
                and not self._has_written.get((user.id, recipient_id))
                and await self._is_stranger(recipient_id, user)
            ):
                try:
                    self._stranger.take(user.id)
                except TooManyRequests as rejection:
                    return await self._sending.sent_or_refused(user, key, rejection)
            return await self._sending.send_private(user, recipient_id, text, key)
        finally:
            _end(limits, user.id)

    async def _is_stranger(self, other_id: int, user: User) -> bool:
        """Whether somebody has not written to a user, or not for a long time."""
        if other_id == user.id:
            return False
        pair = (user.id, other_id)
        if self._has_written.get(pair) is None:
            # What is committed meanwhile is counted, and found here.
            self._has_written.setdefault(pair, None)
            while len(self._has_written) > _REMEMBERED_PAIRS:
                del self._has_written[next(iter(self._has_written))]
            found = await self._store.read_private(*pair, None, _LOOKED_THROUGH)
            if any(message.sender_id == other_id for message in found):
                self._has_written[pair] = True
            elif self._has_written.get(pair, False) is None:
                self._has_written[pair] = False
        return not self._has_written.get(pair)

    def _count(self, entries: list[Entry]) -> None:
        """Count what the log tells of, be it of this node or of another."""
        for message in entries:
            if type(message) is not Message:
                continue
            sender_id = message.sender_id
            for limit in self._private:
                limit.count(sender_id)
            if message.recipient_id is not None:
                pair = (message.recipient_id, sender_id)
                if pair in self._has_written:
                    self._has_written[pair] = True
            elif self._sent_before is not None:
                self._sent_before.note(message)


def _begin(limits: tuple[Limit, ...], user_id: int) -> None:
    """Note that a user sends something, if that is allowed."""
    begun = 0
    try:
        for limit in limits:
            limit.begin(user_id)
            begun += 1
    except TooManyRequests:
        _end(limits[:begun], user_id)
        raise


def _end(limits: tuple[Limit, ...], user_id: int) -> None:
    """Note that something is no longer under way."""
    for limit in limits:
        limit.end(user_id)
