"""Reading the feed: the cursor of one client, and what comes after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from chatter.client import requests
from chatter.client.errors import ClientClosed
from chatter.client.pages import check_feed
from chatter.client.responses import error_in
from chatter.client.subscription import Subscription
from chatter.protocol.bodies import DEFAULT_LIMIT
from chatter.protocol.deferring import returns_deferred
from chatter.protocol.errors import Unauthorized
from chatter.protocol.model import Message, Page

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from chatter.client.attempts import Attempts
    from chatter.client.exchange import Exchange
    from chatter.client.joining import Joining
    from chatter.client.operations import Operations
    from chatter.protocol.bodies import Connected


class Reading:
    """The cursor of one client.

    :ivar cursor: the id up to which it has read; ``None`` while only the server knows.
    """

    def __init__(
        self,
        exchange: Exchange,
        attempts: Attempts,
        joining: Joining,
        operations: Operations,
        clock: Any,
    ) -> None:
        self.cursor: int | None = None
        self._exchange = exchange
        self._attempts = attempts
        self._joining = joining
        self._operations = operations
        self._clock = clock

    async def begin(self, name: str | None, key: str | None) -> Connected:
        """Join as somebody new, or come back; the cursor stays where it is, if it is known.

        What another client of the user has read says nothing about this one.
        """
        if self._attempts.token is None:
            connected = await self._joining.join(name, key)
            self.cursor = connected.cursor
        else:
            connected = await self._joining.come_back()
            if self.cursor is None:
                self.cursor = connected.cursor
        return connected

    async def page(self, limit: int) -> Page:
        """What comes after the cursor, which stays where it is."""
        after = await self._position()
        page = await self._attempts.until_done(Page, requests.feed(after, limit))
        check_feed(page, after)
        return page

    async def unread(self) -> AsyncGenerator[Message, None]:
        """Every message that comes after the cursor, until there is none."""
        while True:
            try:
                page = await self.page(DEFAULT_LIMIT)
            except ClientClosed:
                return
            for message in page.messages:
                yield message
                self.cursor = message.id
            if not page.messages:
                return

    @returns_deferred
    async def subscribe(self) -> Subscription:
        """One connection to the event stream, from the cursor on."""
        cursor = await self._position()
        request = requests.events(cursor)
        subscription = Subscription(self._clock, cursor)
        with self._operations.begun() as operation:
            opened = self._exchange.subscribe(request, self._attempts.token, subscription)
            try:
                other = await operation.wait_for(Deferred.fromCoroutine(opened))
            except BaseException:
                subscription.close()
                raise
        if other is not None:
            subscription.close()
            raise error_in(other, f"{request.method} {request.path}")
        return subscription

    @returns_deferred
    async def acknowledge(self) -> None:
        """Tell the server how far was read."""
        await self._attempts.once(Page, requests.feed(await self._position(), 1))

    async def _position(self) -> int:
        """The cursor, which the server knows if the client doesn't yet."""
        if self.cursor is None:
            if self._attempts.token is None:
                raise Unauthorized("Connect first.")
            return (await self.begin(None, None)).cursor
        return self.cursor
