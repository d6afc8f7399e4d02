"""The writing side of the PostgreSQL store: batches, one after the other (group commit)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from chatter.protocol.errors import StoreUnavailable
from chatter.repeated_errors import Reasons
from chatter.stores.batches import Batches
from chatter.stores.postgres.session import QueryFailed
from chatter.stores.postgres.write_batch import TakeRoom, WriteBatch

if TYPE_CHECKING:
    from chatter.log.pending import Pending
    from chatter.stores.postgres.connected_log import ConnectedLog
    from chatter.stores.postgres.write_batch import Write

LAST_MOMENT = 0.875
"""After this part of the time for which a batch is waited for, it is not written any more."""

MOST_AT_ONCE = 1000
"""A batch has at most so many parts, so that no batch keeps the log locked for long."""


class Writer:
    """Writes batches, one after the other (group commit).

    :param reactor: an ``IReactorTime`` provider.
    :param log: reports what was written.
    :param name: of the database, for the log.

    :ivar batches: the batches of what is written.
    """

    _log = Logger()

    def __init__(self, reactor: Any, log: ConnectedLog, name: str) -> None:
        self._reactor = reactor
        self._connected = log
        self.batches: Batches[Write] = Batches(reactor, self._write, MOST_AT_ONCE, ahead=True)
        self._trouble = Reasons(
            self._log, f"{name} can't be written", f"{name} can be written again."
        )

    def start(self) -> None:
        """Take writes from now on."""
        self.batches.start()

    async def stop(self) -> None:
        """Take no more, and finish those that were submitted."""
        await self.batches.stop()

    def submit(self, write: Write) -> Pending[Any]:
        """Write something in the next batch; fires with its result once that is durable."""
        return self.batches.submit(write)

    async def check(self) -> None:
        """See that the log can be written; after a failure, by writing.

        :raises StoreUnavailable: if it can't; its detail says why.
        """
        self._connected.writer.check()
        try:
            # To write nothing takes the lock on the log.
            await self.submit([] if self._trouble.reason is None else TakeRoom())
        except StoreUnavailable as error:
            if not isinstance(error.__cause__, QueryFailed):
                raise
            why = f"{error.detail[:-1]}: {error.__cause__}."
            raise StoreUnavailable(why, error.retry_after) from error

    async def _write(self, writes: list[Write]) -> list[Any]:
        connected = self._connected
        sent = self._reactor.seconds()
        deadline = connected.clock.at(sent + connected.writer.patience * LAST_MOMENT)
        batch = WriteBatch(writes, connected.kept_after, deadline)
        reported = connected.tail.reported
        try:
            rows = await connected.writer.run(batch.queries)
        except StoreUnavailable as error:
            if isinstance(error.__cause__, QueryFailed):
                self._trouble.failed(error.__cause__)
            raise
        connected.clock.follow(sent, batch.time_of(rows))
        results, new = batch.results(rows)
        if self._trouble.reason is not None and batch.proves_room(new):
            self._trouble.worked()
        connected.wrote(new, reported)
        return results
