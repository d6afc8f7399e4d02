"""One request and its whole response: sent, awaited and read within a time limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from hyperlink import EncodedURL
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent
from zope.interface import implementer

from chatter.client.backoff import MAX_RETRY_AFTER
from chatter.client.errors import ServerUnreachable, UnexpectedResponse
from chatter.client.failures import LOST, NEVER_SENT, no_response
from chatter.client.http_bodies import BytesProducer, content_of, discard
from chatter.client.responses import Response
from chatter.client.urls import checked_url

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from twisted.internet.interfaces import IProtocol, IReactorTime
    from twisted.web.iweb import IResponse

    from chatter.client.requests import Request

_OK = 200
_DIGITS = 6
_ACCEPTED = b"application/json, application/problem+json, text/event-stream, application/x-ndjson"
_NOT_COMPRESSED = (b"", b"identity")

Value = TypeVar("Value")


class Exchange:
    """Sends requests to the server below a URL.

    :param url: ``http`` or ``https``, a host, and perhaps a port and a path.
    :param timeout: how many seconds a request and its response may take.
    :raises ValueError: if the URL is not of that form.
    """

    def __init__(self, url: str, agent: IAgent, clock: IReactorTime, timeout: float) -> None:
        self.url = checked_url(url)
        self._http = HTTPClient(_PlainAgent(agent), data_to_body_producer=BytesProducer)
        self._clock = clock
        self._timeout = timeout

    async def send(self, request: Request, token: str | None) -> Response:
        """Send a request and read the whole response.

        Cancelling it closes the connection.

        :raises ServerUnreachable: if the response did not arrive whole, and in time.
        :raises UnexpectedResponse: if it is not HTTP, or larger than any of the chat's.
        :raises UntrustedServer: if TLS did not prove whose response it would be.
        """
        return await self._in_time(self._whole(request, token))

    async def stream(
        self, request: Request, token: str | None, reader: IProtocol
    ) -> Response | None:
        """Send a request whose response is read as it comes.

        :param reader: gets the body of a response that has the media type of the request, from
            its beginning.
        :returns: any other response.

        It raises what :meth:`send` raises.
        """
        return await self._in_time(self._stream(request, token, reader))

    async def _in_time(self, exchange: Coroutine[Deferred[Any], Any, Value]) -> Value:
        working = Deferred.fromCoroutine(exchange)
        given_up = False

        def give_up(_: object) -> None:
            nonlocal given_up
            given_up = True
            working.cancel()

        # The error of a cancelled request depends on how far it was sent: it says nothing.
        done: Deferred[Value] = Deferred(give_up)
        working.chainDeferred(done)
        timeout = self._clock.callLater(self._timeout, working.cancel)
        try:
            return await done
        except (*NEVER_SENT, *LOST) as error:
            if given_up:
                raise CancelledError from None
            if timeout.active():
                raise no_response(error, self.url) from error
            raise ServerUnreachable(
                f"{self.url} did not respond within {self._timeout:g} seconds.",
                may_have_arrived=not isinstance(error, NEVER_SENT),
            ) from error
        finally:
            if timeout.active():
                timeout.cancel()

    async def _whole(self, request: Request, token: str | None) -> Response:
        return await _whole(await self._begin(request, token), request.largest)

    async def _stream(
        self, request: Request, token: str | None, reader: IProtocol
    ) -> Response | None:
        response = await self._begin(request, token)
        media_type = response.headers.getRawHeaders(b"Content-Type", [b""])[0].partition(b";")[0]
        if response.code != _OK or media_type.strip().lower() != request.media_type:
            return await _whole(response, request.largest)
        response.deliverBody(reader)
        return None

    async def _begin(self, request: Request, token: str | None) -> Any:
        return await self._http.request(
            request.method,
            _URLWithHost.from_text(self.url + request.path),
            headers=_headers(request, token),
            params=request.parameters,
            data=cast("Any", request.body),
            # A redirect would take the token and the text to wherever it points.
            allow_redirects=False,
            unbuffered=True,
            # Without it treq imports, and so installs, the global reactor.
            reactor=cast("Any", self._clock),
        )


class _URLWithHost(EncodedURL):
    """A URL whose host is as it is sent.

    hyperlink would encode it once more, as a name, and so refuse an IPv6 address.
    """

    def to_uri(self) -> EncodedURL:
        """The URL with all but the host encoded."""
        others: EncodedURL = EncodedURL.to_uri(self.replace(host=""))
        return others.replace(host=self.host)


@implementer(IAgent)
class _PlainAgent:
    """Requests responses that are not compressed, and keeps no cookies.

    treq by itself would inflate a few bytes to gigabytes, and keep each cookie that
    it is given.
    """

    def __init__(self, agent: IAgent) -> None:
        self._agent = agent

    async def _plain(self, responding: Deferred[IResponse]) -> IResponse:
        response = await responding
        response.headers.removeHeader(b"Set-Cookie")
        encodings = response.headers.getRawHeaders(b"Content-Encoding", [])
        if any(encoding.strip().lower() not in _NOT_COMPRESSED for encoding in encodings):
            discard(response)
            raise UnexpectedResponse(
                "The response is compressed, though the client accepts no compression."
            )
        return response

    def request(
        self,
        method: bytes,
        uri: bytes,
        headers: Headers | None = None,
        bodyProducer: Any = None,  # noqa: N803 - Twisted's name
    ) -> Deferred[IResponse]:
        """Send a request."""
        headers = Headers() if headers is None else headers.copy()
        headers.setRawHeaders(b"Accept-Encoding", [b"identity"])
        responding = self._agent.request(method, uri, headers, bodyProducer)
        return Deferred.fromCoroutine(self._plain(responding))


async def _whole(response: IResponse, largest: int) -> Response:
    content = await content_of(response, largest)
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


def _retry_after(headers: Headers) -> int | None:
    value: bytes = (headers.getRawHeaders(b"Retry-After") or [b""])[-1].strip()
    if not value.isdigit():
        return None
    return MAX_RETRY_AFTER if len(value) > _DIGITS else min(int(value), MAX_RETRY_AFTER)
