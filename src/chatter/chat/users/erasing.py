"""Users who leave for good: their messages are withdrawn, and nobody has their name again.

An erasure is a mark on the user, which is durable at once and ends all that the user has open;
and then the withdrawal of each message, a part of the log at a time.  Some seconds later what
was on its way meanwhile is withdrawn, too.  One that a crash has interrupted goes on at the next
start, and one that the store has, a little later.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatter.chat.turns import Turns
from chatter.log.entries import ChangeDraft, UserErased
from chatter.protocol.errors import Gone, StoreUnavailable
from chatter.repeated_errors import UnexpectedErrors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from chatter.chat.delivery.live import Live
    from chatter.chat.users.access import Access
    from chatter.chat.users.directory import Directory
    from chatter.chat.users.presence import Presence
    from chatter.log.entries import Entry
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import Message, User

STRETCH = 2000
"""So many entries of the log are looked at in one read."""

AGAIN = 10.0
"""After so many seconds the rest of the log is looked at, or what has failed is tried again."""

_AT_ONCE = 50
"""So many messages are withdrawn together."""


class Erasing:
    """Erases users of a chat."""

    _log = Logger()

    def __init__(
        self,
        store: IChatStore,
        clock: IReactorTime,
        presence: Presence,
        live: Live,
        access: Access,
        directory: Directory,
    ) -> None:
        self._store = store
        self._clock = clock
        self._presence = presence
        self._access = access
        self._directory = directory
        self._resuming: Deferred[None] | None = None
        self._again: IDelayedCall | None = None
        self._is_stopped = True
        self._errors = UnexpectedErrors(self._log, "An erasure could not go on.")
        # A read costs the length of its stretch, so there is only one at a time.
        self._turns = Turns(1)
        # For each user: up to which id the log was looked at, and when its end was first reached.
        self._looked: dict[int, int] = {}
        self._at_end: dict[int, float] = {}
        live.add_watcher(self)

    def rewind(self) -> None:
        """Look at all of the log again: the end of it was lost, and withdrawals with it."""
        self._looked = {}
        self._at_end = {}
        self._go_on_later()

    def hear(self, changes: Sequence[Entry]) -> None:
        """End what those have open who were erased, here or at another server."""
        for entry in changes:
            if isinstance(entry, UserErased):
                self._directory.forget_user(entry.sender_id)
                self._access.end(entry.sender_id)

    def resume(self) -> None:
        """Go on with what was interrupted, in the background."""
        self.rewind()
        self._is_stopped = False
        self._go_on()

    async def stop(self) -> None:
        """Go on no more; the next start does."""
        self._is_stopped = True
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self._resuming is not None:
            await self._resuming

    async def erase(self, user: User) -> None:
        """Erase a user; returns once all messages were withdrawn.

        :raises StoreUnavailable: if the store can't serve; what has begun goes on by itself.
        """
        erasure = self._store.erasure
        try:
            entry = await erasure.begin(user.id, self._presence.now())
            if entry is None and user.id not in await erasure.under_way():
                return
            await self._withdraw_all(user.id)
        finally:
            # If the store was away, it may have begun nevertheless.
            self._go_on_later()

    def _go_on_later(self) -> None:
        if self._again is None and not self._is_stopped:
            self._again = self._clock.callLater(AGAIN, self._go_on)

    def _go_on(self) -> None:
        self._again = None
        if self._resuming is not None:
            self._go_on_later()
            return
        self._resuming = resuming = Deferred.fromCoroutine(self._resume())
        resuming.addErrback(self._not_resumed)
        resuming.addCallback(self._resumed)

    async def _resume(self) -> None:
        has_failed = False
        for user_id in await self._store.erasure.under_way():
            try:
                await self._resume_one(user_id)
            except StoreUnavailable:
                raise
            except Exception:  # noqa: BLE001 - whatever it is, the others leave
                has_failed = True
                self._not_resumed(Failure())
        if not has_failed:
            self._errors.worked()

    async def _resume_one(self, user_id: int) -> None:
        since = self._at_end.get(user_id)
        is_late = since is not None and self._clock.seconds() >= since + AGAIN
        await self._withdraw_all(user_id)
        if is_late and user_id in self._at_end:
            await self._store.erasure.finish(user_id)
            self._looked.pop(user_id, None)
            self._at_end.pop(user_id, None)
        else:
            self._go_on_later()

    def _not_resumed(self, failure: Failure) -> None:
        self._errors.failed(failure)
        self._go_on_later()

    def _resumed(self, _: None) -> None:
        self._resuming = None

    async def _withdraw_all(self, user_id: int) -> None:
        """Withdraw what a user has sent and was not looked at, up to the end of the log."""
        looked, at_end = self._looked, self._at_end
        after = max(looked.get(user_id, 0), self._store.kept_after)
        while after < (end := await self._store.last_id()):
            if self._is_stopped:
                raise StoreUnavailable("The chat is about to stop.", 1)
            until = min(after + STRETCH, end)
            async with self._turns:
                own = await self._store.erasure.read_own(user_id, after, until)
            sent = [message for message in own if message.sender_id == user_id]
            for start in range(0, len(sent), _AT_ONCE):
                await self._withdraw_some(sent[start : start + _AT_ONCE])
            after = looked[user_id] = until
        await self._store.moderation.forget_reports(user_id)
        at_end.setdefault(user_id, self._clock.seconds())

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
