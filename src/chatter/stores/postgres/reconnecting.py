"""A session that comes back: lost at once when it fails, and there again by itself.

While it is away nothing waits for it: queries fail at once, and one attempt a second tries
to reach the database again, whatever the last one failed with.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatter.protocol.errors import StoreUnavailable
from chatter.repeated_errors import Reasons
from chatter.stores.postgres.database import DatabaseAway
from chatter.stores.postgres.session import QueryFailed, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.internet.interfaces import IDelayedCall

    from chatter.stores.postgres.database import Database
    from chatter.stores.postgres.session import Query, Row

PATIENCE = 4.0
"""A database that has not responded after so many seconds is away."""

RETRY = 1.0
"""So many seconds are between two attempts to reach it again."""


# Which server it is, and as whom, is nothing for everybody.
_SERVER = re.compile(r"^.*failed: (?!.*failed: )|for user \S+|\S*\"[^\"]*\"", re.DOTALL)

_LONGEST_REASON = 200


def _ignore(*_: object) -> None:
    """Do nothing."""


class ReconnectingSession:
    """Keeps one session with a database.

    :param reactor: an ``IReactorTime``, ``IReactorFDSet`` and ``IReactorThreads`` provider.
    :param purpose: what the log says it is for.
    :param greeting: what to run first in each session.
    :param greeted: called with the rows of each greeting, before the session is used.
    :param back: called whenever the database is there again.
    :param notified: called with each notification: which backend sent it, and what it says.

    :ivar patience: for so many seconds a result is waited for.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        database: Database,
        purpose: str,
        greeting: Callable[[], Sequence[Query]],
        greeted: Callable[[list[Row]], object],
        back: Callable[[], object] = _ignore,
        notified: Callable[[int, bytes], None] = _ignore,
    ) -> None:
        self._reactor = reactor
        self._database = database
        self._greeting = greeting
        self._greeted = greeted
        self._back = back
        self._notified = notified
        self.patience = PATIENCE
        self._is_open = False
        self._session: Session | None = None
        self._overdue: IDelayedCall | None = None
        self._next_try: IDelayedCall | None = None
        self._trying: Deferred[None] | None = None
        self._trouble = Reasons(
            self._log,
            f"{database} is away for {purpose}",
            f"{database} is there again for {purpose}.",
        )

    @property
    def backend_pid(self) -> int | None:
        """The process that serves the session, if there is one."""
        return None if self._session is None else self._session.backend_pid

    async def open(self) -> None:
        """Begin the first session, or try until there is one.

        :raises StoreUnavailable: if there will never be one.
        """
        self._is_open = True
        self.patience = PATIENCE
        try:
            await self._connect()
        except DatabaseAway as error:
            self._not_reached(Failure(error))
        except BaseException:
            self._is_open = False
            raise

    def renew(self, reason: str) -> None:
        """Let the session go, if there is one, and begin another one."""
        if self._session is not None:
            self._session.fail(ConnectionError(reason))

    def hurry(self, patience: float) -> None:
        """Wait no longer than so many seconds for a result, and reach for no other session."""
        self._is_open = False
        self.patience = patience
        if self._overdue is not None:
            self._overdue.reset(min(patience, self._overdue.getTime() - self._reactor.seconds()))

    async def close(self) -> None:
        """End the session, and reach for no other; nothing must be under way in it."""
        self._is_open = False
        if self._next_try is not None:
            self._next_try.cancel()
            self._next_try = None
        if self._trying is not None:
            await self._trying
        if self._session is not None:
            self._session.close()
            self._session = None

    async def run(self, queries: Sequence[Query]) -> list[Row]:
        """Run some queries as one transaction; one run at a time.

        :returns: the first row of each that returns rows.
        :raises StoreUnavailable: if that fails, or there is no session now.
        :raises QueryFailed: if what was sent is at fault; the session goes on.
        """
        self.check()
        assert self._session is not None
        return await self._ask(self._session, queries)

    def check(self) -> None:
        """See that there is a session.

        :raises StoreUnavailable: if there is none now; its detail says why.
        """
        if self._session is None:
            why = _SERVER.sub("", self._trouble.reason or "")[:_LONGEST_REASON]
            raise StoreUnavailable(f"The database is away{why and ': '}{why}.", 2)

    async def _ask(self, session: Session, queries: Sequence[Query]) -> list[Row]:
        self._overdue = self._reactor.callLater(self.patience, _give_up, session)
        try:
            return await session.run(queries)
        except QueryFailed as error:
            if error.is_of_the_query:
                raise
            raise StoreUnavailable("The database can't do this now.", 2) from error
        except Exception as error:
            raise StoreUnavailable("The database is away.", 2) from error
        finally:
            if self._overdue.active():
                self._overdue.cancel()
            self._overdue = None

    async def _connect(self) -> None:
        pool = self._reactor.getThreadPool()
        # Blocking, because libpq looks names up and tries one server after the other.
        connection = await deferToThreadPool(self._reactor, pool, self._database.open)
        try:
            session = Session(self._reactor, connection, self._notified, self._lost)
        except BaseException:
            connection.close()
            raise
        try:
            self._greeted(await self._greet(session))
        except BaseException:
            session.close()
            raise
        if self._is_open:
            self._session = session
        else:
            session.close()

    async def _greet(self, session: Session) -> list[Row]:
        try:
            return await self._ask(session, self._greeting())
        except StoreUnavailable as error:
            cause = error.__cause__
            if isinstance(cause, QueryFailed) and cause.is_lasting:
                raise StoreUnavailable(self._database.explained(cause), 2) from cause
            # Somebody holds the log, perhaps, or the server has just ended.
            raise DatabaseAway(error.detail, 2) from cause

    def _lost(self, error: Exception) -> None:
        if self._session is None:
            return  # It had not begun: the caller of connect gets the error.
        self._session = None
        self._trouble.failed(error)
        if self._is_open:
            self._next_try = self._reactor.callLater(0, self._try_again)

    def _try_again(self) -> None:
        self._next_try = None
        self._trying = Deferred.fromCoroutine(self._reach())
        # Whatever goes wrong, the next attempt may be the one that works.
        self._trying.addErrback(self._not_reached)

    async def _reach(self) -> None:
        await self._connect()
        self._trouble.worked()
        self._back()

    def _not_reached(self, failure: Failure) -> None:
        error = failure.value
        assert error is not None
        # Others get "The database is away"; the log has the reason.
        self._trouble.failed(error.__cause__ or error)
        if self._is_open and self._session is None:
            self._next_try = self._reactor.callLater(RETRY, self._try_again)


def _give_up(session: Session) -> None:
    session.fail(TimeoutError("there is no response"))
