"""A request, tried again until there is a response or patience ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from chatter.client.download import Download
from chatter.client.errors import ServerUnreachable, UnexpectedResponse
from chatter.client.json_bodies import decoded
from chatter.client.responses import error_in
from chatter.protocol.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from random import Random

    from twisted.internet.interfaces import IReactorTime

    from chatter.client.backoff import Retries
    from chatter.client.exchange import Exchange
    from chatter.client.operations import Operations
    from chatter.client.requests import Request
    from chatter.client.watcher import Watcher

_OK = 200

Value = TypeVar("Value")


class Attempts:
    """Sends the requests of one client.

    :param operations: what can be closed.
    :param watcher: hears of attempts that fail, and that the server is back.

    :ivar token: proves who the user is.
    """

    def __init__(
        self,
        exchange: Exchange,
        clock: IReactorTime,
        retries: Retries,
        random: Random,
        operations: Operations,
        watcher: Watcher | None,
    ) -> None:
        self.token: str | None = None
        self._exchange = exchange
        self._clock = clock
        self._retries = retries
        self._random = random
        self._operations = operations
        self._watcher = watcher

    async def until_done(self, kind: type[Value], request: Request) -> Value:
        """The response to a request that may be sent again and again."""
        return await self._succeeded(lambda: self.once(kind, request))

    async def _succeeded(self, attempt: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        """What an attempt returns that succeeds."""
        began = self._clock.seconds()
        failed = 0
        while True:
            try:
                value = await attempt()
            except (TransientError, ServerUnreachable) as error:
                failed += 1
                elapsed = self._clock.seconds() - began
                wait = self._retries.wait(failed, elapsed, error.retry_after, self._random)
                if wait is None:
                    raise
                if self._watcher is not None:
                    self._watcher.lost(error)
            else:
                if failed and self._watcher is not None:
                    self._watcher.found()
                return value
            with self._operations.begun() as operation:
                await operation.wait_for(deferLater(self._clock, wait))

    async def once(self, kind: type[Value], request: Request) -> Value:
        """The response to a request that is sent once."""
        with self._operations.begun() as operation:
            sent = Deferred.fromCoroutine(self._exchange.send(request, self.token))
            response = await operation.wait_for(sent)
        if response.status != _OK:
            raise error_in(response, f"{request.method} {request.path}")
        value = decoded(response.body, kind)
        if value is None:
            raise UnexpectedResponse(
                f"The response to {request.method} {request.path} is not one of a chat server."
            )
        return value

    async def download(self, request: Request, collector: Callable[[bytes], None]) -> None:
        """Give the body of a response to a collector, as it comes.

        The request may be sent again and again until there is a response, and not afterwards.

        :raises ServerUnreachable: if the body has ended before it was whole.
        """
        download = await self._succeeded(lambda: self._begun(request, collector))
        with self._operations.begun() as operation:
            await operation.wait_for(download.finished)

    async def _begun(self, request: Request, collector: Callable[[bytes], None]) -> Download:
        """A response of which the head has come."""
        download = Download(self._clock, collector)
        with self._operations.begun() as operation:
            sent = Deferred.fromCoroutine(self._exchange.stream(request, self.token, download))
            try:
                other = await operation.wait_for(sent)
            except BaseException:
                download.close()
                raise
        if other is not None:
            raise error_in(other, f"{request.method} {request.path}")
        return download
