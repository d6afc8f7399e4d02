"""Answers: what they are made of, and how they are handed over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import Struct, json
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from chatter.errors import TransientError, Unauthorized
from chatter.wire import problem_of

if TYPE_CHECKING:
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
    headers = request.responseHeaders
    if answer.status != 204:  # noqa: PLR2004 - No Content
        headers.setRawHeaders(b"Content-Type", [answer.content_type])
        headers.setRawHeaders(b"Content-Length", [b"%d" % len(answer.body)])
    headers.setRawHeaders(b"Cache-Control", [b"no-store"])
    for name, value in answer.headers:
        headers.setRawHeaders(name, [value])
    if answer.delivered is None or request.method == b"HEAD":
        request.write(answer.body)
    else:
        await _hand_over(request, answer.body)
        answer.delivered()
    request.finish()


async def _hand_over(request: Request, body: bytes) -> None:
    """Write a body and wait until the operating system has all of it.

    A transport pauses its producer while it has more than ``bufferSize`` bytes to
    send, and resumes it when it has none.  So with a size of 0 it tells exactly
    when nothing is left.  Where the transport is none of Twisted's own sockets
    (TLS), it tells so of large answers only, and small ones count as handed over
    once they are written.
    """
    transport: Any = request.transport
    usual_size = getattr(transport, "bufferSize", None)
    drain = _Drain()
    gone = request.notifyFinish()
    request.registerProducer(drain, True)
    try:
        if usual_size is not None:
            transport.bufferSize = 0
        request.write(body)
        if drain.paused:
            gone.addErrback(drain.drained.errback)
            await drain.drained
    finally:
        if usual_size is not None:
            transport.bufferSize = usual_size
        request.unregisterProducer()
        gone.addErrback(lambda _: None)


@implementer(IPushProducer)
class _Drain:
    """Watches whether a transport has bytes left to send."""

    def __init__(self) -> None:
        self.paused = False
        self.drained: Deferred[None] = Deferred()

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        if self.paused and not self.drained.called:
            self.drained.callback(None)

    def stopProducing(self) -> None:
        """Do nothing: the request tells that its connection is lost."""
