"""Responses: what they are made of, and how they are sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import Struct, json
from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import IPullProducer, IPushProducer
from twisted.web.http import NO_BODY_CODES, OK, HTTPChannel
from twisted.web.server import Request
from zope.interface import implementer

from chatter.httpd import reason_of
from chatter.protocol.errors import TooManyRequests, TransientError
from chatter.protocol.problems import problem_of
from chatter.web.lean import LeanRequest

if TYPE_CHECKING:
    from chatter.protocol.errors import ChatError, Quota

_encode = json.Encoder().encode

_USUAL_HEADERS = ((b"Content-Type", b"application/json"), (b"Cache-Control", b"no-store"))


class Response(Struct):
    """A response that is ready to be sent.

    :ivar begin: takes the request over once the head is set, for a response that
        is not just a body.
    :ivar delivered: called once the whole response has been handed over to the
        operating system; not called if the connection breaks before.
    :ivar is_plain: whether it is JSON with status 200, and has the usual headers only.
    """

    body: bytes
    status: int = 200
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    delivered: Callable[[], None] | None = None
    begin: Callable[[Request], None] | None = None
    is_plain: bool = False


def json_response(
    value: object,
    delivered: Callable[[], None] | None = None,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> Response:
    """A response with a value of the protocol as its body."""
    return Response(_encode(value), headers=headers, delivered=delivered, is_plain=not headers)


def error_response(error: ChatError, *headers: tuple[bytes, bytes]) -> Response:
    """The response that an error is rendered as (RFC 9457)."""
    if isinstance(error, TransientError):
        headers = (*headers, (b"Retry-After", b"%d" % error.retry_after))
        if isinstance(error, TooManyRequests) and error.quota is not None:
            headers += _rate_limit_headers(error.quota, error.retry_after)
    problem = problem_of(error)
    return Response(_encode(problem), problem.status, b"application/problem+json", headers)


def _rate_limit_headers(quota: Quota, retry_after: int) -> tuple[tuple[bytes, bytes], ...]:
    """The headers of draft-ietf-httpapi-ratelimit-headers."""
    name = quota.name.encode()
    return (
        (b"RateLimit-Policy", b'"%b";q=%d;w=%d' % (name, quota.count, quota.seconds)),
        (b"RateLimit", b'"%b";r=0;t=%d' % (name, retry_after)),
    )


def send(request: Request, response: Response) -> None:
    """Send a response and finish the request, at once or when all of it was sent."""
    if response.is_plain and isinstance(request, LeanRequest):
        request.respond(_USUAL_HEADERS, response.body, response.delivered)
        return
    _set_head(request, response)
    if response.begin is not None:
        if request.method == b"HEAD":
            request.finish()
        else:
            response.begin(request)
        return
    if response.status not in NO_BODY_CODES:
        request.setHeader(b"Content-Length", b"%d" % len(response.body))
    if response.delivered is None or request.method == b"HEAD":
        request.write(response.body)
        request.finish()
    else:
        HandOver(request, response.body, response.delivered).begin()


def cut_off(request: Request) -> None:
    """Close the connection of a client to whom no response can be sent."""
    channel: Any = request.channel
    if channel is not None:
        # A stream of HTTP/2 can be cut off alone.
        abort = getattr(channel, "abortConnection", None) or channel.transport.abortConnection
        abort()


def _set_head(request: Request, response: Response) -> None:
    if response.status != OK:
        request.setResponseCode(response.status, reason_of(response.status))
    if response.status not in NO_BODY_CODES:
        request.setHeader(b"Content-Type", response.content_type)
    request.setHeader(b"Cache-Control", b"no-store")
    for name, value in response.headers:
        request.setHeader(name, value)


@implementer(IPullProducer, IPushProducer)
class HandOver:
    """Sends a body, and calls back once the operating system has all of it.

    It is a producer that produces nothing.  Its transport pauses it while something is left
    to send, and resumes it when nothing is left.

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
            # A socket resumes a pull producer whenever it has nothing left to send.
            # Twisted's channel is a push producer, which is paused only if much is left.
            transport.unregisterProducer()
            transport.registerProducer(self, False)
            self._socket = transport
            self._waiting = True
        else:
            # Other transports pause a push producer if something is left.
            self._request.registerProducer(self, True)
            if not self._waiting:
                self._end()

    def pauseProducing(self) -> None:
        """Note that something is left to send."""
        self._waiting = True

    def resumeProducing(self) -> None:
        """Note that nothing is left to send."""
        if self._waiting:
            self._waiting = False
            self._end()

    def stopProducing(self) -> None:
        """Note that the connection is lost."""
        self._waiting = False

    def _end(self) -> None:
        if self._socket is None:
            self._request.unregisterProducer()
        else:
            self._socket.unregisterProducer()
            self._socket.registerProducer(self._request.channel, True)
        self._delivered()
        self._request.finish()
