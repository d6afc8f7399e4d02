"""All event streams of a chat: how many, their heartbeat, their end.

What a stream's beginning and its end cost does not depend on how many others there are.
"""

from __future__ import annotations

from collections import defaultdict
from math import inf
from operator import attrgetter
from typing import TYPE_CHECKING

from twisted.internet.task import deferLater
from twisted.logger import Logger

from chatter.chat.delivery.followers import SLICE_SECONDS, one_by_one, serve_some
from chatter.chat.turns import Turns
from chatter.protocol.errors import StoreUnavailable
from chatter.repeated_errors import Reasons
from chatter.web.event_streams.feed import EventFeed
from chatter.web.event_streams.stream import EventStream, broadcast

if TYPE_CHECKING:
    from collections.abc import Collection

    from twisted.internet.interfaces import IDelayedCall
    from twisted.python.failure import Failure
    from twisted.web.server import Request

    from chatter.chat.core import ChatCore
    from chatter.log.entries import Entry
    from chatter.protocol.model import User

STREAMS_PER_USER = 16
"""A user may have so many streams open; beyond that the oldest ends."""

MAX_STREAMS = 10_000
"""So many streams may be open in all, unless the server is configured otherwise."""

HEARTBEAT = 15.0
"""After so many seconds of silence a comment is written."""

RETRY = 1000
"""After so many milliseconds a client whose stream ended comes back."""

READERS = 4
"""So many streams at a time read their backlog from the store."""

STORE_RETRY = 1.0
"""So many seconds after the store was away for them, streams try to read on."""

_TICK = 0.25

_MEASURED_AT_ONCE = 10_000
"""So many streams are looked at in one turn of the reactor."""

_cursor_of = attrgetter("cursor")


class Streams:
    """The event streams of one chat.

    :param core: the chat that they follow.
    :param most: how many may be open in all.

    :ivar clock: the chat's, an ``IReactorTime`` provider.
    :ivar feed: what streams without changes read from.
    :ivar feed_with_changes: what the others read from.
    :ivar now: the reactor's time, at most a quarter of a second old.
    :ivar turns: those of streams that read from the store.
    :ivar ended: how many streams have ended.
    :ivar given_way: how many of those ended for a newer one of their user.
    :ivar deliveries: how often a stream was served because the log had grown.
    """

    _log = Logger()
    retry = RETRY

    def __init__(self, core: ChatCore, most: int = MAX_STREAMS) -> None:
        self.feed: EventFeed
        self.feed_with_changes: EventFeed
        self.now = 0.0
        self.ended = 0
        self.given_way = 0
        self.deliveries = 0
        self._core = core
        self.clock = core.clock
        self._most = most
        self.turns = Turns(READERS)
        self._streams: dict[EventStream, None] = {}
        # The oldest of a user's streams stands first.
        self._of_user: defaultdict[int, dict[EventStream, None]] = defaultdict(dict)
        self._tokens_held: dict[EventStream, int] = {}
        self._addresses: dict[EventStream, Collection[str]] = {}
        self._to_be_checked: list[EventStream] = []
        self._next_use = -inf
        self._next_tick: IDelayedCall | None = None
        self._put_off: list[EventStream] = []
        self._due: list[EventStream] = []
        self._next_due = 0.0
        self._trouble = Reasons(
            self._log, "Event streams can't be read on", "Event streams can be read on again."
        )

    def __len__(self) -> int:
        return len(self._streams)

    async def admit(self, user: User) -> None:
        """Get ready for another stream of a user.

        It is the last thing to wait for before :meth:`open`: others may come meanwhile.

        :raises StoreUnavailable: if there are too many in all, or the store is away.
        """
        recent = await self._core.live.recent()
        if self._core.live.is_stopped:
            raise StoreUnavailable("The chat is about to stop.", 1)
        if len(self._streams) >= self._most and not self._has_all(user.id):
            raise StoreUnavailable("There are too many streams open; try again later.", 5)
        if not self._streams or self.feed.recent is not recent:
            self.feed = EventFeed(recent, changes=False)
            self.feed_with_changes = EventFeed(recent, changes=True)

    def open(
        self,
        user: User,
        cursor: int,
        request: Request,
        opening: bytes = b"",
        *,
        changes: bool = False,
        token_id: int | None = None,
        addresses: Collection[str],
    ) -> None:
        """Make a request's response a stream that goes on after a cursor.

        :param opening: events that come before the messages.
        :param changes: whether changes of messages are events, too.
        :param token_id: the token that is in use as long as the stream is open.
        :param addresses: where it goes; it is cut if one of them is banned.
        """
        self.now = self.clock.seconds()
        # Connections of a phone that has changed networks look alive for minutes.
        oldest = next(iter(self._of_user[user.id])) if self._has_all(user.id) else None
        feed = self.feed_with_changes if changes else self.feed
        stream = EventStream(self, feed, user.id, cursor)
        self._streams[stream] = None
        if token_id is not None:
            self._tokens_held[stream] = token_id
        self._addresses[stream] = addresses
        self._of_user[user.id][stream] = None
        self._core.presence.hold(user.id)
        deliver = self._deliver_with_changes if changes else self._deliver
        self._core.live.followers.add(stream, deliver)
        if self._next_tick is None:
            self._next_tick = self.clock.callLater(_TICK, self._tick)
        if oldest is not None:
            self.given_way += 1
            oldest.give_way()
        stream.begin(request, opening)

    def _has_all(self, user_id: int) -> bool:
        return user_id in self._of_user and len(self._of_user[user_id]) >= STREAMS_PER_USER

    async def lag(self) -> int:
        """How many ids the stream that is farthest behind is behind the log."""
        streams = [*self._streams]
        lag = 0
        for start in range(0, len(streams), _MEASURED_AT_ONCE):
            if start:
                await deferLater(self.clock, 0)
            some = streams[start : start + _MEASURED_AT_ONCE]
            lag = max(lag, self.feed.recent.last_id - min(map(_cursor_of, some)))
        return lag

    def cut(self, user_id: int) -> None:
        """End the streams of a user at once, whatever is left to be sent."""
        for stream in tuple(self._of_user.get(user_id, ())):
            stream.cut()

    def cut_banned(self) -> None:
        """End the streams that go to banned addresses; in a large chat it takes some ticks."""
        self._to_be_checked = [*self._streams]
        self._check_addresses()

    def _check_addresses(self) -> None:
        until = self.clock.seconds() + SLICE_SECONDS
        serve = one_by_one(self._cut_if_banned)
        serve_some(self.clock.seconds, until, self._to_be_checked, serve)

    def _cut_if_banned(self, stream: EventStream) -> None:
        banned_until = self._core.standings.addresses.banned_until
        if any(banned_until(address) for address in self._addresses.get(stream, ())):
            stream.cut()

    def remove(self, stream: EventStream) -> None:
        """Forget a stream that has ended."""
        if stream not in self._streams:
            return
        del self._streams[stream]
        del self._addresses[stream]
        self.ended += 1
        of_user = self._of_user[stream.user_id]
        del of_user[stream]
        if not of_user:
            del self._of_user[stream.user_id]
        self._core.live.followers.remove(stream)
        token_id = self._tokens_held.pop(stream, None)
        if token_id is not None:
            self._core.tokens.use((token_id,))
        # It has that saved, too.
        self._core.presence.let_go(stream.user_id)
        if not self._streams and self._next_tick is not None:
            self._next_tick.cancel()
            self._next_tick = None
            self._put_off.clear()
            self._due.clear()
            self._to_be_checked.clear()

    def _deliver(self, some: list[EventStream]) -> None:
        self.deliveries += len(some)
        broadcast(some, self.feed, self.now)

    def _deliver_with_changes(self, some: list[EventStream]) -> None:
        self.deliveries += len(some)
        broadcast(some, self.feed_with_changes, self.now)

    async def read_back(self, user_id: int, after: int, limit: int) -> list[Entry]:
        """Read a chunk's entries from the store, which are not at hand."""
        entries = await self._core.live.read(user_id, after, limit)
        self._trouble.worked()
        return entries

    def kept_after(self) -> int:
        """Up to which id entries are no longer kept."""
        return self._core.store.kept_after

    def could_not_read(self, error: Exception) -> None:
        """Note why a stream can't be read on now; that the store is away it says itself."""
        if not isinstance(error, StoreUnavailable):
            self._trouble.failed(error)

    def put_off(self, stream: EventStream) -> None:
        """Let a stream try again later, for which the store was away."""
        self._put_off.append(stream)

    def failed(self, failure: Failure) -> None:
        """Log what must not happen."""
        self._log.failure("An event stream failed.", failure)

    def _tick(self) -> None:
        self._next_tick = self.clock.callLater(_TICK, self._tick)
        self.now = self.clock.seconds()
        if self._to_be_checked:
            self._check_addresses()
        if self._tokens_held and self.now >= self._next_use:
            self._next_use = self.now + self._core.tokens.fresh
            self._core.tokens.use(self._tokens_held.values())
        silent = [s for s in self._streams if self.now - s.last_write >= HEARTBEAT]
        # Those that have no turn now are still silent at the next tick.
        serve_some(self.clock.seconds, self.now + SLICE_SECONDS, silent, _beat)
        if not self._due and self.now >= self._next_due:
            self._due, self._put_off = self._put_off, []
            self._next_due = self.now + STORE_RETRY
        until = self.clock.seconds() + SLICE_SECONDS
        serve_some(self.clock.seconds, until, self._due, _try_again)


_beat = one_by_one(EventStream.beat)
_try_again = one_by_one(EventStream.try_again)
