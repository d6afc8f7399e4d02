"""The growing end of the log: new entries are kept in memory, and everybody is notified.

The listeners of the application are called with each message or change.  The followers,
which read by position, are woken.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from chatter.chat.delivery.followers import Followers
from chatter.log.entries import AddressBan, for_readers
from chatter.log.recent import RecentLog
from chatter.protocol.model import Message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from chatter.log.entries import Entry
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import Change

Heard = TypeVar("Heard")


class Watcher(Protocol):
    """A part of the chat that acts on entries which are no messages.  It raises nothing."""

    def hear(self, changes: Sequence[Entry]) -> None:
        """Take note of some, which were committed just now."""

    def rewind(self) -> None:
        """Take note that the end of the log was lost, or that the store was closed."""


class Live:
    """The growing end of a store's log.

    :param store: a store without another listener.
    :param reactor: an ``IReactorTime`` provider.

    :ivar newest_stretch: the newest stretch of the log; ``None`` as long as it is not known.
    :ivar followers: whom to wake when the log has grown.
    :ivar is_stopped: whether the chat stops, or has stopped.
    """

    _log = Logger()

    def __init__(self, store: IChatStore, reactor: Any) -> None:
        if store.listener is not None:
            raise ValueError("The store belongs to another chat already.")
        store.listener = self._committed
        store.rewound = self._rewind
        store.trimmed = self._trim
        self._store = store
        self._reactor = reactor
        self.newest_stretch: RecentLog | None = None
        self._listeners: list[Callable[[Message], object]] = []
        self._change_listeners: list[Callable[[Change], object]] = []
        self._unreported: deque[Entry] = deque()
        self._counters: list[Callable[[list[Entry]], None]] = []
        self._watchers: list[Watcher] = []
        self._is_notifying = False
        self._waiting: defaultdict[int, set[Waiting]] = defaultdict(set)
        self.followers = Followers(reactor)
        self.is_stopped = False

    async def recent(self) -> RecentLog:
        """The newest stretch of the log; it is read if it is not known yet.

        :raises StoreUnavailable: if it is not in memory yet and can't be read.
        """
        if self.newest_stretch is None:
            newest = await self._store.last_id()
            # A message that was committed meanwhile has created it already.
            if self.newest_stretch is None:
                self.newest_stretch = RecentLog(newest)
        return self.newest_stretch

    async def read(self, user_id: int, after: int, limit: int) -> list[Entry]:
        """What a user may see after an id: from memory if it is recent, else from the store.

        :raises StoreUnavailable: if the store is needed and can't be read.
        """
        await self.recent()
        recent = self.newest_stretch
        if recent is not None and after >= recent.complete_after:
            return recent.feed(user_id, after, limit)
        return await self._store.read_feed(user_id, after, limit)

    def known(
        self, user_id: int, after: int, limit: int, *, changes: bool
    ) -> tuple[Sequence[Entry], int] | None:
        """What a user may see after an id, if that is known without reading the store.

        :param changes: whether changes are wanted; else they are passed over.
        :returns: it; and if that is nothing, the id up to which the log was read.
        """
        recent = self.newest_stretch
        if recent is None or after < recent.complete_after:
            return None
        if not changes:
            return recent.messages(user_id, after, limit)
        found = recent.feed(user_id, after, limit)
        return found, found[-1].id if found else after

    def newest_known(self, unless: int) -> int:
        """The id of the newest entry, unless it is not known yet."""
        return unless if self.newest_stretch is None else self.newest_stretch.last_id

    async def wait(self, user_id: int, after: int, seconds: float, *, changes: bool) -> bool:
        """Wait until a user may see something after an id, but not for longer.

        :param changes: whether a change is something, too.
        :returns: ``False`` if it was ended because the chat is about to stop.
        """
        if self.is_stopped:
            return False
        waiting = Waiting(self, user_id, after, changes=changes)
        timeout = self._reactor.callLater(seconds, waiting.end)
        of_user = self._waiting[user_id]
        of_user.add(waiting)
        try:
            waiting.deliver()
            return await waiting.ended
        finally:
            # It is not ended: that would resume this coroutine where it is being closed.
            self.followers.remove(waiting)
            of_user.discard(waiting)
            if not of_user:
                del self._waiting[user_id]
            if timeout.active():
                timeout.cancel()

    def end_polls(self, user_id: int) -> None:
        """End the waiting polls of a user."""
        for waiting in tuple(self._waiting.get(user_id, ())):
            waiting.end()

    def start(self) -> None:
        """Let it be followed; the store may have been written to while it was closed."""
        self.newest_stretch = None
        for watcher in self._watchers:
            watcher.rewind()
        self.is_stopped = False

    def stop(self) -> None:
        """End all followers and waiting polls: the chat stops."""
        self.is_stopped = True
        for follower in self.followers:
            follower.stop()

    def _rewind(self, _: int) -> None:
        """Forget what was lost from the log, and have all followers read anew."""
        self.newest_stretch = None
        for watcher in self._watchers:
            watcher.rewind()
        for follower in self.followers:
            follower.rewind()

    def _trim(self, until: int) -> None:
        """Forget what is no longer kept; who has not read it finds that out by reading."""
        if self.newest_stretch is None:
            return
        if until > self.newest_stretch.last_id:
            # What is gone was never heard of here, such as a ban.
            for watcher in self._watchers:
                watcher.rewind()
        self.newest_stretch.trim(until)

    def add_listener(self, listener: Callable[[Message], object]) -> None:
        """Call something with each message once it is committed, in id order."""
        self._listeners.append(listener)

    def remove_listener(self, listener: Callable[[Message], object]) -> None:
        """Call it no more."""
        self._listeners.remove(listener)

    def add_counter(self, counter: Callable[[list[Entry]], None]) -> None:
        """Call something with what was committed before anybody else is; it raises nothing."""
        self._counters.append(counter)

    def add_watcher(self, watcher: Watcher) -> None:
        """Have something hear of all entries that are no messages, before anybody else does."""
        self._watchers.append(watcher)

    def add_change_listener(self, listener: Callable[[Change], object]) -> None:
        """Call something with each change of a message once it is committed, in id order."""
        self._change_listeners.append(listener)

    def remove_change_listener(self, listener: Callable[[Change], object]) -> None:
        """Call it no more."""
        self._change_listeners.remove(listener)

    def _committed(self, entries: list[Entry]) -> None:
        if self.newest_stretch is None:
            self.newest_stretch = RecentLog(entries[0].id - 1)
        self.newest_stretch.extend(entries)
        for count in self._counters:
            count(entries)
        if self.newest_stretch.last_change_id >= entries[0].id:
            changes = [entry for entry in entries if not isinstance(entry, Message)]
            for watcher in self._watchers:
                watcher.hear(changes)
        self.followers.wake()
        if not self._listeners and not self._change_listeners:
            return
        self._unreported.extend(entries)
        if self._is_notifying:
            # A listener has just sent this; first all listeners get the entry before it.
            return
        self._is_notifying = True
        while self._unreported:
            self._notify_all(self._unreported.popleft())
        self._is_notifying = False

    def _notify_all(self, entry: Entry) -> None:
        if isinstance(entry, AddressBan):
            return
        if not isinstance(entry, Message):
            change = for_readers(entry)
            for change_listener in tuple(self._change_listeners):
                self._run(_call(change_listener, change))
        else:
            for listener in tuple(self._listeners):
                self._run(_call(listener, entry))

    def _run(self, listening: Coroutine[Any, Any, None]) -> None:
        Deferred.fromCoroutine(listening).addErrback(
            lambda failure: self._log.failure("A listener of the chat failed.", failure)
        )


class Waiting:
    """A follower that ends as soon as there is something after its cursor.

    :ivar ended: fires at the end; with ``False`` if waiting again is no use.
    """

    def __init__(self, live: Live, user_id: int, cursor: int, *, changes: bool) -> None:
        self._live = live
        self._user_id = user_id
        self._cursor = cursor
        self._changes = changes
        self.ended: Deferred[bool] = Deferred()
        live.followers.add(self)

    def deliver(self) -> None:
        """End if there is something now."""
        # An entry was committed, so the newest stretch is in memory.
        known = self._live.known(self._user_id, self._cursor, 1, changes=self._changes)
        found: Sequence[Entry] | None
        found, self._cursor = (None, self._cursor) if known is None else known
        if found is None or found:
            self.end()

    def stop(self) -> None:
        """End, with no use in waiting again."""
        self.end(may_go_on=False)

    def rewind(self) -> None:
        """End, so that the caller reads from the new position."""
        self.end()

    def end(self, *, may_go_on: bool = True) -> None:
        """Follow no more."""
        self._live.followers.remove(self)
        if not self.ended.called:
            self.ended.callback(may_go_on)


async def _call(listener: Callable[[Heard], Any], heard: Heard) -> None:
    result: object = listener(heard)
    if hasattr(result, "__await__"):
        awaitable: Awaitable[object] = result
        await awaitable
