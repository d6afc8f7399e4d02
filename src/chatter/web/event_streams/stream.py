"""One subscriber of an event stream: a cursor, and a connection to write to.

Nothing is queued here.  As long as the subscriber takes what is written, it is kept at
the end of the log.  When it does not, nothing more is written; when it takes again, it
goes on from its cursor.  A subscriber far behind gets one chunk in each turn of the
reactor, so that the others get theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from chatter.web.event_streams.feed import gap_event
from chatter.web.event_streams.sinks import NO_SINK, RequestSink
from chatter.web.lean import LeanRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IReactorTime
    from twisted.python.failure import Failure
    from twisted.web.server import Request

    from chatter.chat.turns import Turns
    from chatter.log.entries import Entry
    from chatter.web.event_streams.feed import EventFeed
    from chatter.web.event_streams.sinks import Sink


GIVEN_WAY_RETRY = 30_000
"""A client whose stream has given way to a newer one comes back after so many milliseconds."""

_GIVEN_WAY = b'retry: %d\nevent: closed\ndata: {"reason":"newer-stream"}\n\n' % GIVEN_WAY_RETRY

_log = Logger()


class SharedByStreams(Protocol):
    """What all streams of a chat share.

    :ivar clock: measures time.
    :ivar now: the clock's time, at most a quarter of a second old.
    :ivar retry: after so many milliseconds a client whose stream ended comes back.
    :ivar turns: those of streams that read from the store.
    """

    clock: IReactorTime
    now: float
    retry: int
    turns: Turns

    async def read_back(self, user_id: int, after: int, limit: int) -> list[Entry]:
        """Read a chunk's entries from the store, which are not at hand."""
        raise NotImplementedError

    def kept_after(self) -> int:
        """Up to which id entries are no longer kept, when they were read."""
        raise NotImplementedError

    def could_not_read(self, error: Exception) -> None:
        """Note why a stream can't be read on now."""

    def put_off(self, stream: EventStream) -> None:
        """Let a stream try again later, for which the store was away."""

    def failed(self, failure: Failure) -> None:
        """Log what must not happen."""

    def remove(self, stream: EventStream) -> None:
        """Forget a stream that has ended."""


def broadcast(streams: list[EventStream], feed: EventFeed, now: float) -> None:
    """Deliver to some streams of one feed, nearly all at the same position, in one loop.

    It is what :meth:`EventStream.deliver` does, for much less: beside the system call
    that sends to a subscriber, what is done for each of thousands is what counts.  To fail
    with one of them does not touch the others.
    """
    last_id = feed.recent.last_id
    place: int | None = None
    chunk, size = b"", 0
    for stream in streams:
        try:
            cursor = stream.cursor
            if cursor != place:
                found = feed.for_all(cursor) if cursor < last_id else None
                if found is None or found[1] != last_id:
                    stream.deliver()
                    continue
                chunk = found[0]
                if not chunk:
                    # What has come is nothing for it.
                    place = None
                    if stream.send is not None:
                        stream.cursor = last_id
                    continue
                place, size = cursor, len(chunk)
            send = stream.send
            if send is None:
                continue
            stream.cursor = last_id
            stream.last_write = now
            try:
                sent = send(chunk)
            except OSError:
                sent = 0
            if sent != size:
                stream.sink.keep_rest(chunk, sent)
        except Exception:  # noqa: BLE001 - whatever it is, the others wait
            _log.failure("An event stream failed.")


class EventStream:
    """Keeps one subscriber at the end of the log.

    :param streams: what all streams share.
    :param feed: what it reads from.
    :param cursor: the subscriber has all up to this id.

    :ivar cursor: the same, as it moves on.
    :ivar sink: what it is written to.
    :ivar send: the sink's; ``None`` while the subscriber does not take what is written, or is
        so far behind that it is served alone.
    """

    __slots__ = (
        "_catching_up",
        "_feed",
        "_streams",
        "cursor",
        "last_write",
        "send",
        "sink",
        "user_id",
    )

    def __init__(
        self, streams: SharedByStreams, feed: EventFeed, user_id: int, cursor: int
    ) -> None:
        self.user_id = user_id
        self.last_write = 0.0
        self._streams = streams
        self._feed = feed
        self.cursor = cursor
        self.sink: Sink = NO_SINK
        self.send: Callable[[bytes], int] | None = None
        self._catching_up: Deferred[None] | None = None

    def begin(self, request: Request, opening: bytes = b"") -> None:
        """Take a request over; its head must be set.

        :param opening: events that come before the messages.
        """
        sink = request.begin_stream(self) if isinstance(request, LeanRequest) else None
        self.sink = sink or RequestSink(request, self, self._streams.clock)
        self._look_at_sink()
        self._write(b"retry: %d\n\n%b" % (self._streams.retry, opening))
        self.deliver()

    def deliver(self) -> None:
        """Write what comes after the cursor, as far as the subscriber takes it."""
        if self._catching_up is not None or not self._is_behind():
            return
        found = self._feed.after(self.user_id, self.cursor)
        if found is not None:
            self._take(*found)
            if not self._is_behind():
                return
        self._catching_up = Deferred.fromCoroutine(self._catch_up())
        self._catching_up.addErrback(self._streams.failed)
        self._look_at_sink()

    def _look_at_sink(self) -> None:
        is_alone = self.sink.paused or self._catching_up is not None
        self.send = None if is_alone else self.sink.send

    def _is_behind(self) -> bool:
        """Whether there may be something for the subscriber, and it takes that."""
        # A cursor may be ahead of the log: of one that this process knows only in part.
        return self.cursor < self._feed.recent.last_id and not self.sink.paused

    async def _catch_up(self) -> None:
        """Write chunk after chunk, also those that only the store still has."""
        streams = self._streams
        try:
            while self._is_behind():
                await deferLater(streams.clock, 0)
                if not self._is_behind():
                    break
                found = self._feed.after(self.user_id, self.cursor)
                if found is None:
                    async with streams.turns:
                        await self._read_back()
                else:
                    self._take(*found)
        except CancelledError:
            # The subscriber is lost.
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, the next attempt may work
            streams.could_not_read(error)
            # It stays where it is, and as if busy, so that it tries again only in its turn.
            streams.put_off(self)
            return
        except BaseException:
            self._end_catching_up()
            raise
        self._end_catching_up()

    async def _read_back(self) -> None:
        """Write a part of the backlog, which only the store has, as far as it is taken at once."""
        streams = self._streams
        if not self._is_behind():
            return
        # All up to here can be read now; what is committed meanwhile comes next.
        feed = self._feed
        end, as_of = feed.recent.last_id, feed.recent.last_change_id
        entries = await streams.read_back(self.user_id, self.cursor, feed.most_entries)
        if self.cursor < (kept_after := streams.kept_after()):
            # What was read may lack some more than that.
            self._take(gap_event(self.cursor, kept_after), kept_after)
            return
        if len(entries) == feed.most_entries:
            end = entries[-1].id
        while self._is_behind():
            self._take(*feed.chunk(entries, end, as_of))
            entries = [entry for entry in entries if entry.id > self.cursor]
            if not entries:
                break
            await deferLater(streams.clock, 0)

    def _take(self, chunk: bytes, cursor: int) -> None:
        self.cursor = cursor
        if chunk:
            self._write(chunk)

    def _end_catching_up(self) -> None:
        self._catching_up = None
        self._look_at_sink()

    def stop(self) -> None:
        """End the response: the chat stops, and the client comes back by itself."""
        self.sink.close()

    def rewind(self) -> None:
        """End the response: the client comes back, and learns where it stands now."""
        sink = self.sink
        self.stream_lost()
        if sink.paused:
            sink.abort()
        else:
            sink.close()

    def give_way(self) -> None:
        """End the response: the user has begun too many others.

        The client is told so, and when to reconnect, so that two clients don't end each
        other's streams all the time.
        """
        sink = self.sink
        self.stream_lost()
        if sink.paused:
            sink.abort()
        else:
            sink.write(_GIVEN_WAY)
            sink.close()

    def cut(self) -> None:
        """End the response at once: the user may not be allowed to read it any more."""
        sink = self.sink
        self.stream_lost()
        sink.abort()

    def try_again(self) -> None:
        """Go on after the store was away."""
        self._end_catching_up()
        self.deliver()

    def beat(self) -> None:
        """Write a comment, so that nobody on the way takes the connection for dead."""
        if not self.sink.paused:
            self._write(b":\n\n")

    def _write(self, data: bytes) -> None:
        self.last_write = self._streams.now
        self.sink.write(data)

    # Calls of the sink

    def stream_paused(self) -> None:
        """Wait until all has been taken."""
        self._look_at_sink()

    def stream_resumed(self) -> None:
        """Go on where the cursor is."""
        self._look_at_sink()
        self.deliver()

    def stream_lost(self) -> None:
        """End."""
        self.sink = NO_SINK
        self._look_at_sink()
        self._streams.remove(self)
        if self._catching_up is not None:
            self._catching_up.cancel()
