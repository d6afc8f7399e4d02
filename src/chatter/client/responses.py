"""The response of a server, and the error that it may stand for."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from chatter.client.errors import ServerUnreachable, UnexpectedResponse
from chatter.client.json_bodies import decoded
from chatter.protocol.problems import Problem, error_of

MAX_DETAIL = 500
"""So many characters of an error's text are kept; it is one sentence."""

_BUSY = (429, 503)
_FAILING_GATEWAY = (502, 504)


class Response(Struct, frozen=True):
    """The response of a server.

    :ivar retry_after: the seconds in its ``Retry-After``, if there are any.
    """

    status: int
    body: bytes
    retry_after: int | None


def error_in(response: Response, request: str) -> Exception:
    """The error that a response stands for.

    :param request: the method and the path.
    """
    problem = decoded(response.body, Problem)
    if problem is not None:
        problem = replace(problem, detail=problem.detail[:MAX_DETAIL])
        error = error_of(problem, 1 if response.retry_after is None else response.retry_after)
        if error is not None:
            return error
    detail = (
        f"The response to {request} has status {response.status}, and is not one of a chat server."
    )
    if response.status in (*_BUSY, *_FAILING_GATEWAY):
        return ServerUnreachable(
            detail,
            may_have_arrived=response.status in _FAILING_GATEWAY,
            retry_after=response.retry_after or 0,
        )
    return UnexpectedResponse(detail)
