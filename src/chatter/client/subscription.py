"""One connection to the event stream: messages come in, as fast as they are taken."""

# ruff: noqa: N802 - the camelCase names are those of Twisted's interfaces
from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from msgspec import DecodeError, json
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone

from chatter.client.errors import ServerUnreachable, UnexpectedResponse
from chatter.client.event_parser import EventParser, EventTooLong
from chatter.protocol.model import Message

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime
    from twisted.python.failure import Failure

SILENCE = 45.0
"""A server that has not even sent a comment for so many seconds is gone: three beats."""

ENOUGH = 1000
"""When so many messages wait to be taken, no more are read from the connection."""

_decode = json.Decoder(Message).decode


class Subscription(Protocol):
    """The body of an event stream.

    :param clock: measures silence.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._parser = EventParser()
        self._messages: deque[Message] = deque()
        self._error: Exception | None = None
        self._is_paused = False
        self._woken: Deferred[None] | None = None
        self._silence = clock.callLater(SILENCE, self._give_up)

    @property
    def retry(self) -> float:
        """The seconds that the server wants to be waited before the next connection."""
        return (self._parser.retry or 0) / 1000

    async def next(self, timeout: float | None = None) -> Message | None:
        """The next message; ``None`` if there is none within some seconds.

        :raises ServerUnreachable: when the stream has ended and all of it was taken.
        :raises UnexpectedResponse: if it is none of a chat.
        """
        if not self._messages and self._error is None:
            await self._wait(timeout)
        if self._messages:
            if self._is_paused and len(self._messages) <= ENOUGH // 2:
                self._is_paused = False
                self._connection.resumeProducing()
            return self._messages.popleft()
        if self._error is not None:
            raise self._error
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
        """Listen no more."""
        self._end(ServerUnreachable("The stream was closed.", may_have_arrived=True))

    @property
    def _connection(self) -> Any:
        return self.transport

    def dataReceived(self, data: bytes) -> None:
        """Take a part of the stream."""
        if self._error is not None:
            return
        self._silence.reset(SILENCE)
        try:
            for event in self._parser.feed(data):
                if event.name == "message":
                    self._messages.append(_decode(event.data))
        except (DecodeError, EventTooLong):
            self._end(UnexpectedResponse("The event stream is none of a chat server."))
            return
        if len(self._messages) > ENOUGH and not self._is_paused:
            self._is_paused = True
            self._connection.pauseProducing()
        if self._messages:
            self._wake()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002
        """End, after what has come was taken."""
        self._end(ServerUnreachable("The server ended the stream.", may_have_arrived=True))

    def _give_up(self) -> None:
        self._end(ServerUnreachable("The server has fallen silent.", may_have_arrived=True))

    def _end(self, error: Exception) -> None:
        if self._error is not None:
            return
        self._error = error
        if self._silence.active():
            self._silence.cancel()
        if self.transport is not None:
            self._connection.loseConnection()
        self._wake()
