"""Answers: what they are made of, and how they are handed over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import Struct, json
from twisted.internet.abstract import FileDescriptor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPullProducer, IPushProducer
from twisted.web.http import NO_CONTENT, HTTPChannel
from zope.interface import implementer

from chatter.errors import TransientError, Unauthorized
from chatter.wire import problem_of

if TYPE_CHECKING:
    from twisted.python.failure import Failure
    from twisted.web.server import Request

    from chatter.errors import ChatError

_encode = json.Encoder().encode


class Answer(Struct):
    """An answer that is ready to be sent.

    :ivar delivered: called once the whole answer has been handed over to the
        operating system; not called if the connection breaks before.
    """

    body: bytes
    status: int = 200
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    delivered: Callable[[], None] | None = None


def answer_json(value: object, **more: Any) -> Answer:
    """An answer with a value of the protocol as its body."""
    return Answer(_encode(value), **more)


def answer_error(error: ChatError, *headers: tuple[bytes, bytes]) -> Answer:
    """The answer that an error is rendered as (RFC 9457)."""
    if isinstance(error, Unauthorized):
        headers = (*headers, (b"WWW-Authenticate", b"Bearer"))
    if isinstance(error, TransientError):
        headers = (*headers, (b"Retry-After", b"%d" % error.retry_after))
    problem = problem_of(error)
    return Answer(_encode(problem), problem.status, b"application/problem+json", headers)


async def send(request: Request, answer: Answer) -> None:
    """Send an answer and finish the request.

    :raises ConnectionError: or whatever the connection was lost with, if it was
        lost before the whole answer was handed over.
    """
    request.setResponseCode(answer.status)
    if answer.status != NO_CONTENT:
        request.setHeader(b"Content-Type", answer.content_type)
        request.setHeader(b"Content-Length", b"%d" % len(answer.body))
    request.setHeader(b"Cache-Control", b"no-store")
    for name, value in answer.headers:
        request.setHeader(name, value)
    if answer.delivered is None or request.method == b"HEAD":
        request.write(answer.body)
    else:
        await _hand_over(request, answer.body)
        answer.delivered()
    request.finish()


async def _hand_over(request: Request, body: bytes) -> None:
    """Write a body and wait until the operating system has all of it.

    :raises ConnectionClosed: if the connection is lost before.
    """
    transport: Any = request.transport
    channel: Any = request.channel
    drain = _Drain()
    request.write(body)
    if isinstance(transport, FileDescriptor) and isinstance(channel, HTTPChannel):
        # A socket asks a pull producer for more whenever it has nothing left to
        # send.  The channel is a push producer, which hears only of large rests.
        transport.unregisterProducer()
        transport.registerProducer(drain, False)
        try:
            await drain.done(request)
        finally:
            transport.unregisterProducer()
            transport.registerProducer(channel, True)
    else:
        # Other transports (TLS, memory) pause a push producer if they tell at all.
        request.registerProducer(drain, True)
        try:
            if drain.paused:
                await drain.done(request)
        finally:
            request.unregisterProducer()


@implementer(IPullProducer, IPushProducer)
class _Drain:
    """Has nothing to produce, but hears when a transport has nothing left to send."""

    def __init__(self) -> None:
        self.paused = False
        self._drained: Deferred[None] | None = None

    async def done(self, request: Request) -> None:
        """Wait for the next time that it is asked for more."""
        self._drained = Deferred()
        request.notifyFinish().addErrback(self._lost)
        await self._drained

    def _lost(self, reason: Failure) -> None:
        if self._drained is not None and not self._drained.called:
            self._drained.errback(reason)

    def pauseProducing(self) -> None:
        """Hear that something is left to send."""
        self.paused = True

    def resumeProducing(self) -> None:
        """Hear that nothing is left to send."""
        if self._drained is not None and not self._drained.called:
            self._drained.callback(None)

    def stopProducing(self) -> None:
        """Do nothing: the request tells that its connection is lost."""
