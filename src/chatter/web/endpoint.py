"""What all endpoints do alike: methods, users, errors.

An endpoint is one path with one method.  It says what it takes and what it may
respond (:class:`Operation`; the OpenAPI document is made from the same), and turns
a request into a response.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from chatter.protocol.errors import (
    ChatError,
    InternalError,
    MethodNotAllowed,
    NotFound,
    Unauthorized,
)
from chatter.web.coroutines import DrivenCoroutine
from chatter.web.responses import Response, cut_off, error_response, send

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from twisted.web.server import Request

    from chatter.chat.core import ChatCore
    from chatter.protocol.model import User
    from chatter.web.authentication import Authentication


class Operation(Struct, frozen=True):
    """What an endpoint does, as the OpenAPI document describes it.

    :ivar errors: those that it may respond with, beyond the ones that all may.
    :ivar media_type: the content type of the response.
    :ivar headers: the headers that it reads, and their types.
    """

    method: str
    summary: str
    description: str
    response: type
    media_type: str = "application/json"
    query: type | None = None
    body: type | None = None
    body_is_optional: bool = False
    headers: dict[str, Any] = {}
    needs_user: bool = True
    errors: tuple[type[ChatError], ...] = ()


class JSONResource(Resource):
    """A resource that responds with JSON, and errors as RFC 9457 has them.

    :ivar methods: those that it takes, beside ``OPTIONS``.
    """

    _log = Logger()
    methods: tuple[bytes, ...] = ()

    def getChild(self, path: bytes, request: Request) -> Resource:  # noqa: ARG002
        """Whatever has no resource of its own is not found."""
        return MissingResource()

    def render(self, request: Request) -> int:
        """Respond to a request, whatever its method: now if nothing has to be waited for."""
        if request.method not in self.methods:
            send(request, self._response_to_other_method(request.method))
            return NOT_DONE_YET
        try:
            coroutine = self.respond(request)
            waits_for = coroutine.send(None)
        except StopIteration as done:
            response: Response = done.value
        except BaseException as error:  # noqa: BLE001 - a defect must not leave a client waiting
            self._send_error(request, error)
            return NOT_DONE_YET
        else:
            driven = DrivenCoroutine(coroutine, waits_for, partial(self._send_later, request))
            if self.ends_with_client(request):
                request.notifyFinish().addErrback(lambda _: driven.cancel())
            return NOT_DONE_YET
        send(request, response)
        return NOT_DONE_YET

    def ends_with_client(self, request: Request) -> bool:  # noqa: ARG002
        """Whether the work for a response is given up when the client is gone.

        A client that closed its sending side counts as gone then; otherwise it gets the response.
        """
        return False

    def _send_later(self, request: Request, outcome: Response | BaseException) -> None:
        channel: object = request.channel
        if channel is None:
            # The client is gone.
            if not isinstance(outcome, Response):
                self._response_to_error(outcome)
            return
        try:
            if isinstance(outcome, Response):
                send(request, outcome)
            else:
                self._send_error(request, outcome)
        except Exception:  # noqa: BLE001 - it must not reach what fired the Deferred
            self._log.failure("A response could not be sent.")
            cut_off(request)

    def _send_error(self, request: Request, error: BaseException) -> None:
        send(request, self._response_to_error(error))

    def _response_to_error(self, error: BaseException) -> Response:
        """The response to an error, which is logged if it is a defect."""
        if isinstance(error, ChatError):
            return error_response(error)
        self._log.failure("A request failed.", Failure(error))
        return error_response(InternalError("The server's log has the cause."))

    def _response_to_other_method(self, method: bytes) -> Response:
        """The response to a method that says nothing about what is here."""
        allowed = (b"Allow", b", ".join((*self.methods, b"OPTIONS")))
        if method == b"OPTIONS":
            return Response(b"", 204, headers=(allowed,))
        return error_response(MethodNotAllowed(f"It takes {allowed[1].decode()}."), allowed)

    def respond(self, request: Request) -> Coroutine[Any, Any, Response]:
        """Respond to a request with one of the methods.

        :raises ChatError: what went wrong; it is rendered.
        """
        raise NotImplementedError


class MissingResource(JSONResource):
    """Where there is nothing, whatever the method, and however many names follow."""

    isLeaf = True  # noqa: N815 - it is Twisted's name

    def render(self, request: Request) -> int:
        """Say so."""
        send(request, error_response(NotFound("There is nothing at this path; see openapi.json.")))
        return NOT_DONE_YET


class ErrorResource(JSONResource):
    """Where each request gets the same error, whatever its method and its path."""

    isLeaf = True  # noqa: N815 - it is Twisted's name

    def __init__(self, error: ChatError) -> None:
        super().__init__()
        self._error = error

    def render(self, request: Request) -> int:
        """Respond with it."""
        send(request, error_response(self._error))
        return NOT_DONE_YET


class Endpoint(JSONResource):
    """One path with one method.

    :cvar operation: what it does.
    """

    operation: ClassVar[Operation]

    def __init__(self) -> None:
        super().__init__()
        method = self.operation.method.encode()
        self.methods = (b"GET", b"HEAD") if method == b"GET" else (method,)


class Methods(JSONResource):
    """One path with several methods, each an endpoint of its own.

    :ivar endpoints: those.
    """

    def __init__(self, *endpoints: Endpoint) -> None:
        super().__init__()
        self.endpoints = endpoints
        self.methods = tuple(method for endpoint in endpoints for method in endpoint.methods)

    def render(self, request: Request) -> int:
        """Have the endpoint with that method respond."""
        for endpoint in self.endpoints:
            if request.method in endpoint.methods:
                return endpoint.render(request)
        return super().render(request)


class UserEndpoint(Endpoint):
    """An endpoint for the users of a chat."""

    def __init__(self, core: ChatCore, authentication: Authentication) -> None:
        super().__init__()
        self._core = core
        self._authentication = authentication

    def _response_to_error(self, error: BaseException) -> Response:
        if isinstance(error, Unauthorized):
            return error_response(error, *self._authentication.challenge)
        return super()._response_to_error(error)

    def _send_error(self, request: Request, error: BaseException) -> None:
        delay = self._authentication.rejection_delay
        if delay.delays(request, error):
            delay.send_later(request, self._response_to_error(error))
        else:
            super()._send_error(request, error)

    def respond(self, request: Request) -> Coroutine[Any, Any, Response]:
        """Respond to the user of a request."""
        user = self._authentication.known_user(request)
        if user is None:
            return self._respond_to_unknown(request)
        return self.respond_to_user(request, user)

    async def _respond_to_unknown(self, request: Request) -> Response:
        return await self.respond_to_user(request, await self._authentication.user_of(request))

    async def respond_to_user(self, request: Request, user: User) -> Response:
        """Respond to a user's request.

        :raises ChatError: what went wrong; it is rendered.
        """
        raise NotImplementedError
