"""What is written to a server, and what its answers mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec import DecodeError, Struct, json

from chatter.client.errors import ServerUnreachable, UnexpectedResponse
from chatter.protocol.errors import InvalidRequest
from chatter.protocol.problems import Problem, error_of

if TYPE_CHECKING:
    from chatter.client.exchange import Request, Response

_BUSY = (429, 503)
_FAILING_GATEWAY = (502, 504)

Value = TypeVar("Value")


def encoded(body: Struct) -> bytes:
    """A body as JSON.

    :raises InvalidRequest: if it has what is no character.
    """
    try:
        return json.encode(body)
    except UnicodeEncodeError:
        raise InvalidRequest("What is sent has a lone surrogate, which is no character.") from None


def decoded(body: bytes, kind: type[Value]) -> Value | None:
    """What the body of an answer says; ``None`` if it is of another kind."""
    try:
        return json.decode(body, type=kind)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        # What is wrong is not said: it might quote the answer.
        return None


def error_in(response: Response, request: Request) -> Exception:
    """The error that an answer stands for."""
    problem = decoded(response.body, Problem)
    if problem is not None:
        error = error_of(problem, 1 if response.retry_after is None else response.retry_after)
        if error is not None:
            return error
    detail = (
        f"{request.method} {request.path} was answered with status {response.status}, "
        "and not by a chat server."
    )
    if response.status in (*_BUSY, *_FAILING_GATEWAY):
        return ServerUnreachable(
            detail,
            may_have_arrived=response.status in _FAILING_GATEWAY,
            retry_after=response.retry_after or 0,
        )
    return UnexpectedResponse(detail)
