"""Following the feed through whatever happens to the connection.

A follower is a cursor.  Each connection goes on after it, and it moves with what
the caller has taken, so that it does not matter where a connection ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from twisted.internet.task import deferLater

from chatter.client.errors import NoResponse, ServerUnreachable
from chatter.protocol.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from random import Random

    from twisted.internet.interfaces import IReactorTime

    from chatter.client.chat_client import ChatClient
    from chatter.client.retries import Retries
    from chatter.client.subscription import Subscription
    from chatter.protocol.model import Message

ACKNOWLEDGE_AFTER = 5.0
"""The server is told how far was read when so many seconds have passed since it last was."""


class Watcher(Protocol):
    """Who wants to know whether the server is there."""

    def lost(self, error: NoResponse | TransientError) -> None:
        """Hear why there is no connection now."""

    def found(self) -> None:
        """Hear that there is one."""


async def follow(
    client: ChatClient,
    clock: IReactorTime,
    retries: Retries,
    random: Random,
    watcher: Watcher | None = None,
) -> AsyncGenerator[Message, None]:
    """Every message after the client's cursor, as it comes, without an end."""
    failed = 0
    while True:
        subscription: Subscription | None = None
        try:
            subscription = await client.subscribe()
            if watcher is not None:
                watcher.found()
            async for message in _taken(client, clock, subscription):
                failed = 0
                yield message
                client.cursor = message.id
        except (TransientError, ServerUnreachable) as error:
            least = max(error.retry_after, subscription.retry if subscription is not None else 0)
            if watcher is not None:
                watcher.lost(error)
        finally:
            if subscription is not None:
                subscription.close()
        failed += 1
        await deferLater(clock, retries.pause(failed, least, random))


async def _taken(
    client: ChatClient, clock: IReactorTime, subscription: Subscription
) -> AsyncGenerator[Message, None]:
    """What one connection brings; in between the server is told how far was read."""
    told, told_at = client.cursor, clock.seconds()
    while True:
        due = max(0, told_at + ACKNOWLEDGE_AFTER - clock.seconds())
        message = await subscription.next(None if client.cursor == told else due)
        if message is None:
            told, told_at = client.cursor, clock.seconds()
            try:
                await client.acknowledge()
            except (NoResponse, TransientError):
                # It is told again by the next connection.
                continue
        elif client.cursor is None or message.id > client.cursor:
            yield message
