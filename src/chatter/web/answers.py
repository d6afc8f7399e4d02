"""Answers: what they are made of, and how they are handed over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import json
from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import IPullProducer, IPushProducer
from twisted.web.http import NO_CONTENT, OK, HTTPChannel
from zope.interface import implementer

from chatter.errors import TransientError, Unauthorized
from chatter.wire import problem_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.web.server import Request

    from chatter.errors import ChatError

_encode = json.Encoder().encode


@dataclass
class Answer:
    """An answer that is ready to be sent.

    :ivar begin: takes the request over, once the head is set, for an answer that
        is not just a body.
    :ivar delivered: called once the whole answer has been handed over to the
        operating system; not called if the connection breaks before.
    """

    body: bytes
    status: int = 200
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    delivered: Callable[[], None] | None = None
    begin: Callable[[Request], None] | None = None


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


def prepare(request: Request, answer: Answer) -> bytes:
    """Set the status and the headers of an answer; returns the body."""
    if answer.status != OK:
        request.setResponseCode(answer.status)
    if answer.status != NO_CONTENT:
        request.setHeader(b"Content-Type", answer.content_type)
    request.setHeader(b"Cache-Control", b"no-store")
    for name, value in answer.headers:
        request.setHeader(name, value)
    return answer.body


def send(request: Request, answer: Answer) -> None:
    """Send an answer and finish the request, at once or when all of it has left."""
    body = prepare(request, answer)
    if answer.begin is not None:
        if request.method == b"HEAD":
            request.finish()
        else:
            answer.begin(request)
        return
    if answer.status != NO_CONTENT:
        request.setHeader(b"Content-Length", b"%d" % len(body))
    if answer.delivered is None or request.method == b"HEAD":
        request.write(body)
        request.finish()
    else:
        HandOver(request, body, answer.delivered).begin()


@implementer(IPullProducer, IPushProducer)
class HandOver:
    """Sends a body, and tells once the operating system has all of it.

    It is a producer that has nothing to produce: it only hears what a transport
    tells a producer, that something is left to send, or nothing any more.

    :param delivered: called then; never if the connection is lost before.
    """

    def __init__(self, request: Request, body: bytes, delivered: Callable[[], None]) -> None:
        self._request = request
        self._body = body
        self._delivered = delivered
        self._socket: FileDescriptor | None = None
        self._waiting = False

    def begin(self) -> None:
        """Send the body."""
        transport: Any = self._request.transport
        channel: Any = self._request.channel
        self._request.write(self._body)
        if isinstance(transport, FileDescriptor) and isinstance(channel, HTTPChannel):
            # A socket asks a pull producer for more whenever it has nothing left to
            # send.  Twisted's channel is a push producer, which hears of it only
            # when that was much.
            transport.unregisterProducer()
            transport.registerProducer(self, False)
            self._socket = transport
            self._waiting = True
        else:
            # Others pause a push producer if something is left, as far as they tell.
            self._request.registerProducer(self, True)
            if not self._waiting:
                self._end()

    def pauseProducing(self) -> None:
        """Hear that something is left to send."""
        self._waiting = True

    def resumeProducing(self) -> None:
        """Hear that nothing is left to send."""
        if self._waiting:
            self._waiting = False
            self._end()

    def stopProducing(self) -> None:
        """Hear that the connection is lost."""
        self._waiting = False

    def _end(self) -> None:
        if self._socket is None:
            self._request.unregisterProducer()
        else:
            self._socket.unregisterProducer()
            self._socket.registerProducer(self._request.channel, True)
        self._delivered()
        self._request.finish()
