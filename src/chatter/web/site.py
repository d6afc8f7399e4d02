"""The site that ``twistd chatter`` serves: the lean server, with the chat's limits."""

from __future__ import annotations

from typing import Any

from msgspec import json

from chatter.clocks import wall_clock
from chatter.httpd import LeanSite, Limits, reason_of
from chatter.protocol.bodies import MAX_BODY
from chatter.protocol.errors import ContentTooLarge, InvalidRequest
from chatter.protocol.problems import Problem, problem_of

LIMITS = Limits(body=MAX_BODY)

_PROBLEMS = {
    400: problem_of(InvalidRequest("This is not HTTP/1.1.")),
    413: problem_of(ContentTooLarge(f"A body has at most {MAX_BODY} bytes.")),
}


class ChatSite(LeanSite):
    """A site for a chat's resources.

    :param resource: the root of the site, an ``IResource`` provider.
    :param reactor: an ``IReactorTime`` provider.
    :param access_log: where to write a line for each request; nowhere by default.
    """

    def __init__(self, resource: Any, reactor: Any, access_log: str | None = None) -> None:
        super().__init__(
            resource,
            reactor,
            wall_clock=wall_clock(reactor),
            limits=LIMITS,
            access_log=access_log,
            error_body=_error_body,
        )


def _error_body(status: int) -> tuple[bytes, bytes]:
    """The problem that a request gets which no resource sees."""
    title = reason_of(status).decode()
    problem = _PROBLEMS.get(status, Problem("about:blank", title, status, f"{title}."))
    return b"application/problem+json", json.encode(problem)
