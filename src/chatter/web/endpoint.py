"""What all endpoints do alike: methods, bodies, queries, errors.

An endpoint is one path with one method.  It says what it takes and what it may
answer (:class:`Operation`; the OpenAPI document is made from the same), and turns
a request into an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from msgspec import Struct, json
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from chatter.checks import checked_body, checked_query
from chatter.errors import (
    ChatError,
    ContentTooLarge,
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
)
from chatter.web.answers import Answer, answer_error, send
from chatter.web.coroutines import resumed
from chatter.wire import MAX_BODY

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from twisted.python.failure import Failure
    from twisted.web.server import Request

Value = TypeVar("Value")


class Operation(Struct, frozen=True):
    """What an endpoint does, as the OpenAPI document tells it.

    :ivar errors: those that it may answer, beyond the ones that all may.
    :ivar media_type: the content type of the answer.
    :ivar takes_key: whether it takes an ``Idempotency-Key``.
    """

    method: str
    summary: str
    description: str
    answer: type
    media_type: str = "application/json"
    query: type | None = None
    body: type | None = None
    body_is_optional: bool = False
    takes_key: bool = False
    needs_user: bool = True
    errors: tuple[type[ChatError], ...] = ()


class JSONResource(Resource):
    """A resource that answers JSON, and errors as RFC 9457 has them.

    :cvar allowed: the methods that it takes.
    :cvar ends_with_client: whether the work for an answer is given up when the
        client is gone; if not, it is brought to its end.
    """

    _log = Logger()
    allowed: tuple[bytes, ...] = (b"OPTIONS",)
    ends_with_client = False

    def getChild(self, path: bytes, request: Request) -> Resource:  # noqa: ARG002
        """Whatever has no resource of its own is not found."""
        return MissingResource()

    def render(self, request: Request) -> int:
        """Answer a request, whatever its method: now if nothing has to be waited for."""
        answering = self._answer(request)
        try:
            waits_for = answering.send(None)
        except StopIteration as done:
            answer: Answer = done.value
        else:
            answered = Deferred.fromCoroutine(
                self._answer_later(request, resumed(answering, waits_for))
            )
            if self.ends_with_client:
                request.notifyFinish().addErrback(lambda _: answered.cancel())
            answered.addErrback(self._unanswered)
            return NOT_DONE_YET
        send(request, answer)
        return NOT_DONE_YET

    def _unanswered(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("A request could not be answered.", failure)

    async def _answer_later(self, request: Request, answering: Awaitable[Answer]) -> None:
        answer = await answering
        if request.channel is not None:
            send(request, answer)

    async def _answer(self, request: Request) -> Answer:
        try:
            if request.method == b"OPTIONS":
                return Answer(b"", 204, headers=((b"Allow", b", ".join(self.allowed)),))
            if request.method not in self.allowed:
                return self._not_allowed()
            return await self.answer(request)
        except ChatError as error:
            return answer_error(error)
        except CancelledError:
            raise
        except Exception:  # noqa: BLE001 - a defect of ours must not leave a client waiting
            self._log.failure("A request failed.")
            return answer_error(InternalError("The server's log has the cause."))

    def _not_allowed(self) -> Answer:
        allowed = b", ".join(self.allowed)
        error = MethodNotAllowed(f"It takes {allowed.decode()}.")
        return answer_error(error, (b"Allow", allowed))

    async def answer(self, request: Request) -> Answer:
        """Answer a request with one of the allowed methods.

        :raises ChatError: what went wrong; it is rendered.
        """
        raise NotImplementedError


class MissingResource(JSONResource):
    """Where there is nothing, whatever the method."""

    async def _answer(self, request: Request) -> Answer:  # noqa: ARG002
        return answer_error(NotFound("There is nothing at this path; see openapi.json."))


class Endpoint(JSONResource):
    """One path with one method.

    :cvar operation: what it does.
    """

    operation: ClassVar[Operation]

    def __init_subclass__(cls) -> None:
        """Derive from the operation what is needed for each request."""
        super().__init_subclass__()
        method = cls.operation.method.encode()
        cls.allowed = (b"GET", b"HEAD", b"OPTIONS") if method == b"GET" else (method, b"OPTIONS")


def body_of(request: Request) -> bytes:
    """The whole body of a request.

    :raises ContentTooLarge: if it is too large, and the server did not refuse it
        before it was read.
    """
    assert request.content is not None
    body: bytes = request.content.read()
    if len(body) > MAX_BODY:
        raise ContentTooLarge(f"A body has at most {MAX_BODY} bytes.")
    return body


def parsed_body(request: Request, decoder: json.Decoder[Value]) -> Value:
    """The JSON body of a request.

    :raises ContentTooLarge: if it is too large.
    :raises InvalidRequest: if it is not valid.
    """
    return checked_body(body_of(request), decoder)


def parsed_query(request: Request, query: type[Value]) -> Value:
    """The parameters in the URL of a request.  Unknown ones are ignored.

    :raises InvalidRequest: if they are not valid.
    """
    arguments: dict[bytes, list[bytes]] = request.args or {}
    parameters: dict[str, Any] = {}
    try:
        for name, values in arguments.items():
            if len(values) > 1:
                raise InvalidRequest("A parameter stands in the URL twice.")
            parameters[name.decode()] = values[0].decode()
    except UnicodeDecodeError:
        raise InvalidRequest("The parameters in the URL are not UTF-8.") from None
    return checked_query(parameters, query)
