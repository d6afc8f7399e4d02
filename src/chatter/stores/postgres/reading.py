"""The reading side of the PostgreSQL store: reads of one turn travel together.

The cursors that are read in one turn are one query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from twisted.logger import Logger

from chatter.protocol.errors import StoreUnavailable
from chatter.repeated_errors import Reasons
from chatter.stores.batches import Batches
from chatter.stores.postgres import users
from chatter.stores.postgres.session import QueryFailed

if TYPE_CHECKING:
    from chatter.stores.postgres.reconnecting import ReconnectingSession
    from chatter.stores.postgres.session import Query, Row

MOST_AT_ONCE = 1000
"""So many reads travel together at most."""


class _CursorOf(NamedTuple):
    """A read of a user's cursor; those of a batch are one query."""

    user_id: int


_Read: TypeAlias = "Query | _CursorOf"


class Reader:
    """Runs queries that return one row.

    :param reactor: an ``IReactorTime`` provider.
    :param session: used by nobody else.
    :param name: of the database, for the log.
    """

    _log = Logger()

    def __init__(self, reactor: Any, session: ReconnectingSession, name: str) -> None:
        self._session = session
        self._batches: Batches[_Read] = Batches(reactor, self._read, MOST_AT_ONCE, ahead=True)
        self._trouble = Reasons(self._log, f"{name} can't be read", f"{name} can be read again.")

    def start(self) -> None:
        """Take queries from now on."""
        self._batches.start()

    async def stop(self) -> None:
        """Take no more, and finish those that were submitted."""
        await self._batches.stop()

    async def row(self, query: Query) -> Row:
        """The row that a query returns.

        :raises StoreUnavailable: if the database can't be read.
        """
        row: Row = await self._batches.submit(query)
        return row

    async def rows(self, queries: list[Query]) -> list[Row]:
        """The rows that some queries return, which travel together.

        :raises StoreUnavailable: if the database can't be read.
        """
        pending = [self._batches.submit(query) for query in queries]
        return [await one for one in pending]

    async def cursor(self, user_id: int) -> int:
        """Up to where a user has read, as saved; 0 for no user.

        :raises StoreUnavailable: if the database can't be read.
        """
        cursor: int = await self._batches.submit(_CursorOf(user_id))
        return cursor

    async def _read(self, reads: list[_Read]) -> list[Any]:
        queries = [read for read in reads if not isinstance(read, _CursorOf)]
        user_ids = {read.user_id for read in reads if isinstance(read, _CursorOf)}
        if user_ids:
            queries.append(users.read_cursors(user_ids))
        try:
            rows = await self._session.run(queries)
        except StoreUnavailable as error:
            if isinstance(error.__cause__, QueryFailed):
                self._trouble.failed(error.__cause__)
            raise
        self._trouble.worked()
        cursors = users.cursors_of(rows.pop()) if user_ids else {}
        each = iter(rows)
        return [
            cursors.get(read.user_id, 0) if isinstance(read, _CursorOf) else next(each)
            for read in reads
        ]
