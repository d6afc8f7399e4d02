"""``GET /export``: what the chat has of a user, as lines of JSON, as the client takes them."""

from __future__ import annotations

from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

from chatter.protocol.errors import ChatError, TooManyRequests
from chatter.web.endpoint import Operation, UserEndpoint
from chatter.web.responses import Response, cut_off

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from twisted.python.failure import Failure
    from twisted.web.server import Request

    from chatter.protocol.model import User

LINES = b"application/x-ndjson"
"""The type of a body of lines of JSON."""


class ExportEndpoint(UserEndpoint):
    """Responds with lines: all that the chat has of the user."""

    operation = Operation(
        method="GET",
        summary="Export one's own data",
        description='Lines of JSON: {"user": …}, {"standing": …} if it is not that of a member, '
        '{"token": …} for each token, without the secret, {"cursor": …}, {"read": …} for each read '
        'mark, {"report": …} for each report that the user has made, and {"message": …} for each '
        "message of the user, and each private one to the user, by id. A user has one export at a "
        "time.",
        response=str,
        media_type=LINES.decode(),
        errors=(TooManyRequests,),
    )

    async def respond_to_user(self, request: Request, user: User) -> Response:  # noqa: ARG002
        """Respond with a body that is read from the log while it is sent."""
        self._core.exporting.check(user)
        return Response(b"", content_type=LINES, begin=partial(self._begin, user))

    def _begin(self, user: User, request: Request) -> None:
        LinesWriter(request, self._lines(user, request)).begin(self._core.clock)

    async def _lines(self, user: User, request: Request) -> AsyncGenerator[bytes, None]:
        era = self._core.access.era
        async with aclosing(self._core.exporting.lines(user)) as lines:
            async for some in lines:
                if self._core.access.era is not era:
                    era = self._core.access.era
                    await self._authentication.user_of(request)
                yield some


@implementer(IPushProducer)
class LinesWriter:
    """Writes a body of lines, no faster than the client takes it.

    A response that is not whole is cut off.
    """

    _log = Logger()

    def __init__(self, request: Request, lines: AsyncGenerator[bytes, None]) -> None:
        self._request = request
        self._lines = lines
        self._is_gone = False
        self._resumed: Deferred[None] | None = None

    def begin(self, clock: object) -> None:
        """Write all of it.

        :param clock: an ``IReactorTime`` provider.
        """
        self._request.registerProducer(self, True)
        writing = Deferred.fromCoroutine(self._write(clock))
        writing.addErrback(self._failed)
        self._request.notifyFinish().addErrback(self._gone, writing)

    async def _write(self, clock: object) -> None:
        async with aclosing(self._lines) as lines:
            async for some in lines:
                self._request.write(some)
                await deferLater(clock, 0)  # type: ignore[arg-type]
                # Before the next lines are read, which would be held as well.
                if self._resumed is not None:
                    await self._resumed
        self._request.unregisterProducer()
        self._request.finish()

    def _gone(self, _: Failure, writing: Deferred[None]) -> None:
        self._is_gone = True
        writing.cancel()

    def _failed(self, failure: Failure) -> None:
        if self._is_gone and failure.check(CancelledError):
            return
        if failure.check(ChatError) is None:
            self._log.failure("An export failed.", failure)
        # Its end shows the client that it is not whole.
        cut_off(self._request)

    # Calls of the transport

    def pauseProducing(self) -> None:
        """Wait until the client has taken what was written."""
        if self._resumed is None:
            self._resumed = Deferred()

    def resumeProducing(self) -> None:
        """Go on."""
        resumed, self._resumed = self._resumed, None
        if resumed is not None:
            resumed.callback(None)

    def stopProducing(self) -> None:
        """Do nothing: the request reports that its connection is lost."""
