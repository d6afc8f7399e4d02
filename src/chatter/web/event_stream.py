"""One reader of an event stream: a cursor, and a place to write to.

Nothing is queued here.  As long as the reader takes what is written, it is kept at
the end of the log; when it does not, nothing more is written, and when it takes
again, it reads on from its cursor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from chatter.errors import StoreUnavailable

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.web.streams import Streams


class EventStream:
    """Keeps one reader at the end of the log.

    :param streams: what all streams share.
    :param cursor: the reader has all up to this id.
    """

    __slots__ = ("_busy", "_cursor", "_sink", "_streams", "last_write", "user_id")

    def __init__(self, streams: Streams, user_id: int, cursor: int) -> None:
        self.user_id = user_id
        self.last_write = 0.0
        self._streams = streams
        self._cursor = cursor
        self._sink: Any = None
        self._busy = False

    def begin(self, request: Request) -> None:
        """Take a request over; its head must be set."""
        begin_stream = getattr(request, "begin_stream", None)
        self._sink = begin_stream(self) if begin_stream is not None else None
        if self._sink is None:
            self._sink = RequestSink(request, self)
        self._write(b"retry: %d\n\n" % self._streams.retry)
        self.deliver()

    def deliver(self) -> None:
        """Write what comes after the cursor, as far as the reader takes it."""
        sink = self._sink
        if sink is None or self._busy:
            return
        streams = self._streams
        feed = streams.feed
        # A cursor may be ahead of the log: of one that this process knows only in part.
        while self._cursor < feed.recent.last_id and not sink.paused:
            found = feed.after(self.user_id, self._cursor)
            if found is None:
                self._busy = True
                Deferred.fromCoroutine(self._read_back()).addErrback(streams.failed)
                return
            chunk, self._cursor = found
            if chunk:
                self.last_write = streams.now
                sink.write(chunk)

    async def _read_back(self) -> None:
        """Read a chunk that lies so far back that only the store has it."""
        streams = self._streams
        # All up to here can be read now; what is committed meanwhile comes next.
        end = streams.feed.recent.last_id
        try:
            messages = await streams.read_back(self.user_id, self._cursor)
        except StoreUnavailable:
            # It stays where it is, and busy, so that nothing else lets it try again.
            streams.put_off(self)
            return
        except BaseException:
            self._busy = False
            raise
        self._busy = False
        if self._sink is not None:
            chunk, self._cursor = streams.feed.chunk(messages, end)
            self._write(chunk)
            self.deliver()

    def try_again(self) -> None:
        """Go on after the store was away."""
        self._busy = False
        self.deliver()

    def beat(self) -> None:
        """Write a comment, so that nobody on the way takes the connection for dead."""
        if self._sink is not None and not self._sink.paused:
            self._write(b":\n\n")

    def _write(self, data: bytes) -> None:
        self.last_write = self._streams.now
        self._sink.write(data)

    def close(self) -> None:
        """End the stream cleanly."""
        if self._sink is not None:
            self._sink.close()

    # What the sink tells

    def stream_resumed(self) -> None:
        """Go on where the cursor is."""
        self.deliver()

    def stream_lost(self) -> None:
        """End."""
        self._sink = None
        self._streams.remove(self)


@implementer(IPushProducer)
class RequestSink:
    """Writes to a request of any server, where nothing better is to be had.

    :ivar paused: whether much is left to be sent.
    """

    __slots__ = ("_request", "_stream", "paused")

    def __init__(self, request: Request, stream: EventStream) -> None:
        self.paused = False
        self._request: Request | None = request
        self._stream = stream
        request.notifyFinish().addBoth(self._end)
        request.registerProducer(self, True)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if self._request is not None:
            self._request.write(data)

    def close(self) -> None:
        """End the answer."""
        if self._request is not None:
            self._request.unregisterProducer()
            self._request.finish()

    def _end(self, _: object) -> None:
        self._request = None
        self._stream.stream_lost()

    def pauseProducing(self) -> None:
        """Hear that much is left."""
        self.paused = True

    def resumeProducing(self) -> None:
        """Hear that nothing is left."""
        self.paused = False
        self._stream.stream_resumed()

    def stopProducing(self) -> None:
        """Do nothing: the request tells that its connection is lost."""
