"""One request and its whole answer: sent, waited for and read within a time limit."""

# ruff: noqa: N802 - the camelCase names are those of Twisted's interfaces
from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from msgspec import Struct
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionClosed,
    DNSLookupError,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.web._newclient import RequestNotSent
from twisted.web.client import RequestTransmissionFailed, ResponseDone, ResponseFailed
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

from chatter.client.errors import ServerUnreachable, UnexpectedResponse
from chatter.protocol.bodies import MAX_LIMIT
from chatter.protocol.model import MAX_TEXT

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from twisted.internet.interfaces import IConsumer, IProtocol, IReactorTime
    from twisted.python.failure import Failure
    from twisted.web.iweb import IAgent, IResponse

MAX_RESPONSE = MAX_LIMIT * (6 * MAX_TEXT + 256)
"""The largest answer that is read, in bytes: a full page, every character escaped."""

_NEVER_SENT = (ConnectError, DNSLookupError, RequestNotSent, ConnectingCancelledError)
_LOST = (ConnectionClosed, RequestTransmissionFailed, ResponseFailed, CancelledError)
_DIGITS_OF_A_WAIT = 6
_OK = 200
_ACCEPTED = b"application/json, application/problem+json, text/event-stream"

Value = TypeVar("Value")


class Request(Struct, frozen=True):
    """What a server is asked.

    :ivar body: JSON, already encoded.
    :ivar key: its idempotency key.
    :ivar last_event_id: after which event a stream shall begin.
    """

    method: str
    path: str
    parameters: dict[str, str] = {}
    body: bytes | None = None
    key: str | None = None
    last_event_id: int | None = None


class Response(Struct, frozen=True):
    """What a server answered.

    :ivar retry_after: the seconds in its ``Retry-After``, if there are any.
    """

    status: int
    body: bytes
    retry_after: int | None


class Exchange:
    """Asks the server below a URL.

    :param url: ``http`` or ``https``, a host, and perhaps a port and a path.
    :param timeout: how many seconds a request and its answer may take.
    :raises ValueError: if the URL is not of that form.
    """

    def __init__(self, url: str, agent: IAgent, clock: IReactorTime, timeout: float) -> None:
        self.url = checked_url(url)
        self._http = HTTPClient(agent, data_to_body_producer=_BytesProducer)
        self._clock = clock
        self._timeout = timeout

    async def send(self, request: Request, token: str | None) -> Response:
        """Send a request and read the whole response.

        Cancelling it closes the connection.

        :raises ServerUnreachable: if the answer did not arrive whole, and in time.
        :raises UnexpectedResponse: if it is larger than any of the chat's.
        """
        return await self._in_time(self._whole(request, token))

    async def subscribe(
        self, request: Request, token: str | None, listener: IProtocol
    ) -> Response | None:
        """Send a request that is answered by a stream of events.

        :param listener: gets the stream, from its beginning.
        :returns: another answer, if there is no stream.
        :raises ServerUnreachable: if no answer has begun in time.
        :raises UnexpectedResponse: if it is larger than any of the chat's.
        """
        return await self._in_time(self._stream(request, token, listener))

    async def _in_time(self, exchange: Coroutine[Deferred[Any], Any, Value]) -> Value:
        asked = Deferred.fromCoroutine(exchange)
        given_up = False

        def give_up(_: object) -> None:
            nonlocal given_up
            given_up = True
            asked.cancel()

        # What a cancelled request fails with depends on how far it got: it doesn't tell.
        answered: Deferred[Value] = Deferred(give_up)
        asked.chainDeferred(answered)
        timeout = self._clock.callLater(self._timeout, asked.cancel)
        try:
            return await answered
        except (*_NEVER_SENT, *_LOST) as error:
            if given_up:
                raise CancelledError from None
            if timeout.active():
                detail = f"{self.url} can't be reached: {_reason(error)}."
            else:
                detail = f"{self.url} did not answer within {self._timeout:g} seconds."
            may_have_arrived = not isinstance(error, _NEVER_SENT)
            raise ServerUnreachable(detail, may_have_arrived=may_have_arrived) from error
        finally:
            if timeout.active():
                timeout.cancel()

    async def _whole(self, request: Request, token: str | None) -> Response:
        return await _whole(await self._begin(request, token))

    async def _stream(
        self, request: Request, token: str | None, listener: IProtocol
    ) -> Response | None:
        response = await self._begin(request, token)
        media_type = response.headers.getRawHeaders(b"Content-Type", [b""])[0].partition(b";")[0]
        if response.code != _OK or media_type.strip().lower() != b"text/event-stream":
            return await _whole(response)
        response.deliverBody(listener)
        return None

    async def _begin(self, request: Request, token: str | None) -> Any:
        return await self._http.request(
            request.method,
            self.url + request.path,
            headers=_headers(request, token),
            params=request.parameters,
            data=cast("Any", request.body),
            # A redirect would take the token and the text to wherever it points.
            allow_redirects=False,
            unbuffered=True,
            # Without it treq imports, and so installs, the global reactor.
            reactor=cast("Any", self._clock),
        )


async def _whole(response: IResponse) -> Response:
    content = await _content(response)
    return Response(response.code, content, _retry_after(response.headers))


def _headers(request: Request, token: str | None) -> Headers:
    headers = Headers({b"Accept": [_ACCEPTED]})
    if request.body is not None:
        headers.setRawHeaders("Content-Type", ["application/json"])
    if request.key is not None:
        headers.setRawHeaders("Idempotency-Key", [request.key])
    if request.last_event_id is not None:
        headers.setRawHeaders("Last-Event-ID", [str(request.last_event_id)])
    if token is not None:
        headers.setRawHeaders("Authorization", [f"Bearer {token}"])
    return headers


def checked_url(url: str) -> str:
    """The URL of a chat server, in the one form that paths can be put behind.

    :raises ValueError: if it is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("The URL of a chat server is like http://127.0.0.1:8000.")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("The URL of a chat server has no password, query or fragment.")
    if parts.port == 0:
        raise ValueError("The URL's port is out of range.")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _reason(error: BaseException | None) -> str:
    """Why, in the words of the error that other errors were wrapped around."""
    reasons: list[Failure] = getattr(error, "reasons", None) or []
    if reasons:
        return _reason(reasons[0].value)
    return str(error).strip().rstrip(".") or type(error).__name__


def _retry_after(headers: Headers) -> int | None:
    value: bytes = (headers.getRawHeaders(b"Retry-After") or [b""])[-1].strip()
    return int(value) if value.isdigit() and len(value) <= _DIGITS_OF_A_WAIT else None


def _content(response: IResponse) -> Deferred[bytes]:
    """The whole body; cancelling closes the connection, as does a body that is too large."""
    reader = _Reader()
    response.deliverBody(reader)
    return reader.finished


class _Reader(Protocol):
    """Collects a body up to the largest size."""

    def __init__(self) -> None:
        self.finished: Deferred[bytes] = Deferred(lambda _: self._close())
        self._chunks: list[bytes] = []
        self._size = 0

    def dataReceived(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= MAX_RESPONSE:
            self._chunks.append(data)
            return
        self._chunks.clear()
        self._close()
        if not self.finished.called:
            self.finished.errback(UnexpectedResponse("The answer is larger than any of a chat."))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.finished.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.finished.callback(b"".join(self._chunks))
        else:
            self.finished.errback(reason)

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()


@implementer(IBodyProducer)
class _BytesProducer:
    """A body that is there at once.

    Twisted's own producer would read it piece by piece with the global reactor.
    """

    def __init__(self, body: bytes) -> None:
        self.length = len(body)
        self._body = body

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None:
        """Do nothing: everything was written already."""

    def resumeProducing(self) -> None:
        """Do nothing: everything was written already."""

    def stopProducing(self) -> None:
        """Do nothing: everything was written already."""
