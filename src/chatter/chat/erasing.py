"""Users who leave for good: their messages are withdrawn, and nobody has their name again.

An erasure is a mark on the user, which is durable at once and ends all that the user has open;
and then the withdrawal of each message, a part of the log at a time.  One that a crash has
interrupted goes on at the next start.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.logger import Logger

from chatter.log.entries import ChangeDraft, UserErased
from chatter.protocol.errors import Gone, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.python.failure import Failure

    from chatter.chat.access import Access
    from chatter.chat.directory import Directory
    from chatter.chat.live import Live
    from chatter.chat.presence import Presence
    from chatter.log.entries import Entry
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import Message, User

STRETCH = 2000
"""So many entries of the log are looked at in one read."""

_AT_ONCE = 50
"""So many messages are withdrawn together."""


class Erasing:
    """Erases users of a chat."""

    _log = Logger()

    def __init__(
        self,
        store: IChatStore,
        presence: Presence,
        live: Live,
        access: Access,
        directory: Directory,
    ) -> None:
        self._store = store
        self._presence = presence
        self._access = access
        self._directory = directory
        self._resuming: Deferred[None] | None = None
        self._is_stopped = False
        live.add_watcher(self)

    def rewind(self) -> None:
        """Do nothing: nobody who has no token gets one by that."""

    def hear(self, changes: Sequence[Entry]) -> None:
        """End what those have open who were erased, here or at another server."""
        for entry in changes:
            if isinstance(entry, UserErased):
                self._directory.forget_user(entry.sender_id)
                self._access.end(entry.sender_id)

    def resume(self) -> None:
        """Go on with what was interrupted, in the background."""
        self._is_stopped = False
        self._resuming = Deferred.fromCoroutine(self._resume())
        self._resuming.addErrback(self._not_resumed)

    async def stop(self) -> None:
        """Go on no more; the next start does."""
        self._is_stopped = True
        if self._resuming is not None:
            await self._resuming
            self._resuming = None

    async def erase(self, user: User) -> None:
        """Erase a user; returns once all messages were withdrawn.

        :raises StoreUnavailable: if the store can't serve; what has begun goes on at the next
            start.
        """
        if await self._store.erasure.begin(user.id, self._presence.now()) is not None:
            await self._withdraw_all(user.id)

    async def _resume(self) -> None:
        for user_id in await self._store.erasure.under_way():
            await self._withdraw_all(user_id)

    def _not_resumed(self, failure: Failure) -> None:
        if failure.check(StoreUnavailable) is None:
            self._log.failure("An erasure could not go on.", failure)

    async def _withdraw_all(self, user_id: int) -> None:
        after = self._store.kept_after
        while after < (end := await self._store.last_id()):
            if self._is_stopped:
                raise StoreUnavailable("The chat is about to stop.", 1)
            until = min(after + STRETCH, end)
            own = await self._store.erasure.read_own(user_id, after, until)
            sent = [message for message in own if message.sender_id == user_id]
            for start in range(0, len(sent), _AT_ONCE):
                await self._withdraw_some(sent[start : start + _AT_ONCE])
            after = until
        await self._store.moderation.forget_reports(user_id)
        await self._store.erasure.finish(user_id)

    async def _withdraw_some(self, messages: list[Message]) -> None:
        under_way = [Deferred.fromCoroutine(self._withdraw(message)) for message in messages]
        try:
            await gatherResults(under_way, consumeErrors=True)
        except FirstError as error:
            failed = error.subFailure.value
            assert failed is not None
            raise failed from None

    async def _withdraw(self, message: Message) -> None:
        draft = ChangeDraft(message.id, None, message.sender_id, self._presence.now())
        with suppress(Gone):
            await self._store.change(draft)
