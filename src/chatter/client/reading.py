"""Reading the feed: the cursor of one client, and what comes after it.

A cursor is an id and the epoch of the log that it belongs to.  When the server's log was
restored to an older state, the server moves the cursor back to where its log and the one
that was read part; so nothing new is skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from twisted.internet.defer import Deferred

from chatter.client import requests
from chatter.client.errors import ClientClosed, UnexpectedResponse
from chatter.client.page_checks import check_feed, start_of
from chatter.client.responses import error_in
from chatter.client.subscription import ENTRIES, MESSAGES, Subscription
from chatter.protocol.deferring import returns_deferred
from chatter.protocol.errors import Unauthorized
from chatter.protocol.model import Message, Page
from chatter.protocol.queries import DEFAULT_LIMIT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from chatter.client.exchange import Exchange
    from chatter.client.joining import Joining
    from chatter.client.operations import Operations
    from chatter.client.retries import Attempts
    from chatter.client.subscription import Decoders, Taken
    from chatter.client.watcher import Watcher
    from chatter.protocol.bodies import Connected, EpochEvent
    from chatter.protocol.model import Change, Gap

MOST_MOVES = 3
"""So often a log may become another one while all that is unread is read."""


class Reading:
    """The cursor of one client.

    :param watcher: hears when the server's log has become another one.

    :ivar cursor: the id up to which it has read; ``None`` while only the server knows.
    :ivar epoch: the epoch of the cursor, empty if it is not known.
    """

    def __init__(
        self,
        exchange: Exchange,
        attempts: Attempts,
        joining: Joining,
        operations: Operations,
        clock: Any,
        watcher: Watcher | None,
    ) -> None:
        self.cursor: int | None = None
        self.epoch = ""
        self._exchange = exchange
        self._attempts = attempts
        self._joining = joining
        self._operations = operations
        self._clock = clock
        self._watcher = watcher

    async def begin(self, name: str | None, key: str | None, invitation: str | None) -> Connected:
        """Join as somebody new, or come back; the cursor stays where it is, if it is known.

        What another client of the user has read says nothing about this one.
        """
        if self._attempts.token is None:
            connected = await self._joining.join(name, key, invitation)
            self.cursor, self.epoch = connected.cursor, ""
        else:
            connected = await self._joining.come_back()
            if self.cursor is None:
                self.cursor, self.epoch = connected.cursor, ""
        return connected

    async def page(self, limit: int) -> Page:
        """What comes after the cursor, which stays where it is in the server's log.

        It only passes a gap.
        """
        after = await self._position()
        epoch = self.epoch
        page = await self._attempts.until_done(Page, requests.feed(after, epoch, limit))
        start = start_of(page, after, epoch)
        check_feed(page, start)
        if page.epoch is not UNSET:
            self._go_on(page.epoch, after, start, self._watcher)
        if page.gap is not UNSET:
            self._pass(page.gap, self._watcher)
        return page

    async def unread(self) -> AsyncGenerator[Message, None]:
        """Every message that comes after the cursor, until there is none.

        :raises UnexpectedResponse: if the server's log becomes another one again and again.
        """
        moves = 0
        while True:
            try:
                page = await self.page(DEFAULT_LIMIT)
            except ClientClosed:
                return
            if page.moved_from is not UNSET:
                moves += 1
                if moves > MOST_MOVES:
                    raise UnexpectedResponse("The server's log changes again and again.")
            for message in page.messages:
                yield message
                self.cursor = message.id
            if not page.messages:
                return

    @returns_deferred
    async def subscribe(self, watcher: Watcher | None) -> Subscription[Message]:
        """One connection to the event stream, from the cursor on.

        :param watcher: hears when the server's log has become another one.
        """
        return await self._subscribe(watcher, MESSAGES, changes=False)

    @returns_deferred
    async def subscribe_to_entries(self, watcher: Watcher | None) -> Subscription[Message | Change]:
        """The same, with changes of messages."""
        return await self._subscribe(watcher, ENTRIES, changes=True)

    async def _subscribe(
        self, watcher: Watcher | None, decoders: Decoders[Taken], *, changes: bool
    ) -> Subscription[Taken]:
        after = await self._position()
        request = requests.events(after, self.epoch, changes=changes)

        def begun(event: EpochEvent) -> None:
            self._go_on(event.epoch, after, event.cursor, watcher)

        def passed(gap: Gap) -> None:
            self._pass(gap, watcher)

        subscription = Subscription(self._clock, after, decoders, begun, passed)
        with self._operations.begun() as operation:
            opened = self._exchange.stream(request, self._attempts.token, subscription)
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
        """Acknowledge what was read."""
        await self._attempts.once(Page, requests.feed(await self._position(), self.epoch, 1))

    def _go_on(self, epoch: str, after: int, start: int, watcher: Watcher | None) -> None:
        """Read on from where the server does, in its epoch."""
        self.epoch = epoch
        if start != after:
            self.cursor = start
            if watcher is not None:
                watcher.history_changed(after, start)

    def _pass(self, gap: Gap, watcher: Watcher | None) -> None:
        """Read on after what the server does not keep any more."""
        self.cursor = gap.until
        if watcher is not None:
            watcher.no_longer_kept(gap.after, gap.until)

    async def _position(self) -> int:
        """The cursor, which the server knows if the client doesn't yet."""
        if self.cursor is None:
            if self._attempts.token is None:
                raise Unauthorized("Connect first.")
            return (await self.begin(None, None, None)).cursor
        return self.cursor
