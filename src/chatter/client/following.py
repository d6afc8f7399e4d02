"""Following the feed through whatever happens to the connection.

A follower is a cursor.  Each connection goes on after it, and it moves with what
the caller has taken, so that it does not matter where a connection ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from twisted.internet.task import deferLater

from chatter.client.errors import ClientClosed, NoResponse, ServerUnreachable
from chatter.protocol.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from random import Random

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IReactorTime

    from chatter.client.backoff import Retries
    from chatter.client.operations import Operation, Operations
    from chatter.client.subscription import Subscription, Taken
    from chatter.client.watcher import Watcher

ACKNOWLEDGE_AFTER = 5.0
"""What was read is acknowledged after so many seconds."""


class Reader(Protocol):
    """The client that follows."""

    cursor: int | None

    def acknowledge(self) -> Deferred[None]:
        """Acknowledge what was read."""


async def follow(
    reader: Reader,
    subscribe: Callable[[Watcher | None], Deferred[Subscription[Taken]]],
    clock: IReactorTime,
    retries: Retries,
    random: Random,
    operations: Operations,
    watcher: Watcher | None = None,
) -> AsyncGenerator[Taken, None]:
    """Every entry after the reader's cursor, as it comes, until the client is closed.

    :param subscribe: opens the event stream after the cursor; the watcher hears of another
        history.
    """
    failed = 0
    with operations.begun() as operation:
        while True:
            subscription: Subscription[Taken] | None = None
            try:
                subscription = await operation.wait_for(subscribe(watcher))
                if watcher is not None:
                    watcher.found()
                async for entry in _taken(reader, clock, subscription, operation):
                    failed = 0
                    yield entry
                    reader.cursor = entry.id
            except (TransientError, ServerUnreachable) as error:
                retry = subscription.retry if subscription is not None else 0
                least = max(error.retry_after, retry)
                if watcher is not None:
                    watcher.lost(error)
            except ClientClosed:
                return
            finally:
                if subscription is not None:
                    subscription.close()
            failed += 1
            try:
                pause = retries.pause(failed, least, random)
                await operation.wait_for(deferLater(clock, pause))
            except ClientClosed:
                return


async def _taken(
    reader: Reader, clock: IReactorTime, subscription: Subscription[Taken], operation: Operation
) -> AsyncGenerator[Taken, None]:
    """The entries of one connection; meanwhile what was read is acknowledged."""
    acknowledged, acknowledged_at = reader.cursor, clock.seconds()
    while True:
        due = max(0, acknowledged_at + ACKNOWLEDGE_AFTER - clock.seconds())
        timeout = None if reader.cursor == acknowledged else due
        entry = await operation.wait_for(subscription.next(timeout))
        if entry is not None:
            yield entry
            continue
        acknowledged, acknowledged_at = reader.cursor, clock.seconds()
        try:
            await operation.wait_for(reader.acknowledge())
        except ClientClosed:
            raise
        except (NoResponse, TransientError):
            # The next connection acknowledges it.
            continue
