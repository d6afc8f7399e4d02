"""One connection to the event stream: entries come in, as fast as they are taken.

Entries are messages, and changes of messages if the stream was requested with them.

What a server can make a client do is bounded.  Entries that wait to be taken have a
bounded size, and then nothing more is read.  Bytes that bring no entry have a bounded
rate.  A line has to end now and then.  The ids of the entries increase.
"""

# ruff: noqa: N802 - the camelCase names are those of Twisted's interfaces
from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from msgspec import DecodeError, ValidationError, json
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone

from chatter.client.backoff import MAX_RETRY_AFTER
from chatter.client.errors import ServerUnreachable, UnexpectedResponse
from chatter.client.event_parser import EventParser, EventTooLong
from chatter.client.failures import SILENCE, error_of_body, fallen_silent
from chatter.client.http_bodies import PART
from chatter.protocol.bodies import EpochEvent
from chatter.protocol.deferring import returns_deferred
from chatter.protocol.model import Change, Gap, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twisted.internet.interfaces import IReactorTime
    from twisted.python.failure import Failure

    from chatter.client.event_parser import Event

ENOUGH = 1024 * 1024
"""When messages of so many characters wait to be taken, no more are read."""

MAX_NOISE = 1024 * 1024
"""So many bytes that belong to no message are read at once, and then :data:`NOISE_RATE`."""

NOISE_RATE = 16 * 1024
"""Bytes a second; a heartbeat takes three of them."""

_OVERHEAD = 200
"""What a message takes beside its text, in the stream and in memory, about."""

_BYTES = 4
"""A character has at most so many in UTF-8."""

_decode_epoch = json.Decoder(EpochEvent).decode
_decode_gap = json.Decoder(Gap).decode

Taken = TypeVar("Taken", bound=Message | Change)

Decoders: TypeAlias = "Mapping[str, Callable[[str], Taken]]"

MESSAGES: Decoders[Message] = {"message": json.Decoder(Message).decode}
"""Of a stream of messages."""

ENTRIES: Decoders[Message | Change] = {
    "message": json.Decoder(Message).decode,
    "change": json.Decoder(Change).decode,
}
"""Of a stream of messages and their changes."""


class Subscription(Protocol, Generic[Taken]):
    """The body of an event stream.

    :param clock: measures silence.
    :param after: the id after which the stream was requested.
    :param decoders: those of the events that are taken, by their names.
    :param begun: called with the epoch and the id after which the stream begins, if the
        server sends them; before there is a message.
    :param passed: called with each gap in its place: when all before it was taken.
    """

    def __init__(
        self,
        clock: IReactorTime,
        after: int,
        decoders: Decoders[Taken],
        begun: Callable[[EpochEvent], None] = lambda _: None,
        passed: Callable[[Gap], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._last_id = after
        self._decoders = decoders
        self._begun = begun
        self._passed = passed
        self._has_begun = False
        self._parser = EventParser()
        self._taken: deque[Taken | Gap] = deque()
        self._waiting = 0
        self._noise = 0.0
        self._measured_at = clock.seconds()
        self._error: Exception | None = None
        self._is_paused = False
        self._woken: Deferred[None] | None = None
        self._silence = clock.callLater(SILENCE, self._give_up)

    @property
    def retry(self) -> float:
        """The seconds that the server wants to be waited before the next connection."""
        return min((self._parser.retry or 0) / 1000, MAX_RETRY_AFTER)

    @returns_deferred
    async def next(self, timeout: float | None = None) -> Taken | None:
        """The next message or change; ``None`` if there is none within some seconds.

        :raises ServerUnreachable: when the stream has ended and all of it was taken.
        :raises UnexpectedResponse: if it is not the stream of a chat.
        """
        while True:
            if not self._taken and self._error is None:
                await self._wait(timeout)
            if self._taken:
                entry = self._taken.popleft()
                self._waiting -= _size_of(entry)
                if self._is_paused and self._waiting <= ENOUGH // 2:
                    self._is_paused = False
                    self._connection.resumeProducing()
                if not isinstance(entry, Gap):
                    return entry
                self._passed(entry)
            elif self._error is not None:
                raise self._error
            else:
                return None

    async def _wait(self, timeout: float | None) -> None:
        woken = self._woken = Deferred()
        call = None if timeout is None else self._clock.callLater(timeout, self._wake)
        try:
            await woken
        finally:
            self._woken = None
            if call is not None and call.active():
                call.cancel()

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.called:
            self._woken.callback(None)

    def close(self) -> None:
        """Read no more, and close the connection."""
        self._end(ServerUnreachable("The stream was closed.", may_have_arrived=True))

    @property
    def _connection(self) -> Any:
        return self.transport

    def dataReceived(self, data: bytes) -> None:
        """Take a part of the stream."""
        if self._error is not None:
            return
        lines, noise = self._parser.lines, len(data) + PART
        try:
            for event in self._parser.feed(data):
                noise -= self._handle(event)
        except (DecodeError, EventTooLong):
            self._end(UnexpectedResponse("The event stream is not one of a chat server."))
        except UnexpectedResponse as error:
            self._end(error)
        else:
            # At least a comment has ended.
            if self._parser.lines > lines:
                self._silence.reset(SILENCE)
            self._bound_noise(noise)
        if self._error is None and self._waiting > ENOUGH and not self._is_paused:
            self._is_paused = True
            self._connection.pauseProducing()
        if self._taken:
            self._wake()

    def _handle(self, event: Event) -> int:
        """Take an event; how many bytes it may have had, if it is a message."""
        decode = self._decoders.get(event.name)
        if decode is not None:
            try:
                entry = decode(event.data)
            except ValidationError:
                if event.name == "message":
                    raise
                # A kind of change that this client does not know.
                return 0
            self._take(entry, entry.id)
            return _BYTES * len(event.data) + _OVERHEAD
        if event.name == "gap":
            gap = _decode_gap(event.data)
            self._take(gap, gap.until)
        if event.name == "epoch":
            self._begin(_decode_epoch(event.data))
        return 0

    def _begin(self, event: EpochEvent) -> None:
        if self._has_begun or event.cursor > self._last_id:
            raise UnexpectedResponse("The event stream begins where it was not requested.")
        self._has_begun = True
        self._last_id = event.cursor
        self._begun(event)

    def _take(self, entry: Taken | Gap, entry_id: int) -> None:
        self._has_begun = True
        if entry_id <= self._last_id:
            raise UnexpectedResponse("The event stream has messages in the wrong order.")
        self._last_id = entry_id
        self._taken.append(entry)
        self._waiting += _size_of(entry)

    def _bound_noise(self, size: int) -> None:
        """Count bytes that bring no message; time makes up for them, and so do messages."""
        now = self._clock.seconds()
        elapsed, self._measured_at = now - self._measured_at, now
        self._noise = max(0.0, self._noise + size - NOISE_RATE * elapsed)
        if self._noise > MAX_NOISE:
            self._end(UnexpectedResponse("The event stream has much data, but few messages."))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """End, after what has come was taken."""
        self._end(error_of_body(reason, "The event stream", "The server ended the stream."))

    def _give_up(self) -> None:
        self._end(fallen_silent())

    def _end(self, error: Exception) -> None:
        if self._error is not None:
            return
        self._error = error
        if self._silence.active():
            self._silence.cancel()
        if self.transport is not None:
            self._connection.loseConnection()
        self._wake()


def _size_of(entry: Message | Change | Gap) -> int:
    return len(getattr(entry, "text", "")) + _OVERHEAD
