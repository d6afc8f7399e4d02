"""One connection to PostgreSQL, driven by the reactor: the asynchronous side of libpq.

No thread takes part.  Whatever the server does or does not do, the reactor goes on, and
a connection that hangs can be let go at once, because nobody is stuck in it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import psycopg
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReadWriteDescriptor
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg.pq.abc import PGconn, PGresult
    from twisted.python.failure import Failure

Row: TypeAlias = "tuple[bytes | None, ...]"

# The messages of these classes of errors are about the server, and not about the parameters:
# connection, transaction, resources, intervention, system.
_TELLABLE = ("08", "25", "28", "40", "53", "55", "57", "58")

# These classes are about the parameters, and not about the server: data, constraints.
_OF_THE_QUERY = ("22", "23")

# These classes are about what is there or allowed: the schema, rights, an exception raised by a
# function, a defect.  They are the same at the next attempt.
_LASTING = ("42", "P0", "XX")

# After these nothing is wrong with the session: also resources (a full disk), limits, the system.
_SESSION_GOES_ON = (*_OF_THE_QUERY, *_LASTING, "53", "54", "58")


class Query(NamedTuple):
    """A statement and its parameters, as text."""

    sql: bytes
    parameters: tuple[bytes | None, ...] = ()


def query(sql: bytes, *parameters: int | str) -> Query:
    """A query with its parameters."""
    return Query(sql, tuple(str(parameter).encode() for parameter in parameters))


def number(row: Row) -> int | None:
    """The one number that a row has."""
    (value,) = row
    return None if value is None else int(value)


class QueryFailed(Exception):
    """A query failed in the server; the text can be logged.

    :ivar is_of_the_query: whether its parameters are at fault, so that others may work.
    :ivar session_goes_on: whether the session can be used as before.
    :ivar is_lasting: whether the next attempt will fail, too, unless somebody mends something.
    """

    def __init__(self, result: PGresult) -> None:
        state = (result.error_field(DiagnosticField.SQLSTATE) or b"08006").decode()
        message = result.error_field(DiagnosticField.MESSAGE_PRIMARY) or b"the connection is lost"
        # Others may quote a text or a name.
        detail = message.decode("utf-8", "replace") if state[:2] in _TELLABLE else "a defect"
        super().__init__(f"{detail} (SQLSTATE {state})")
        self.is_of_the_query = state[:2] in _OF_THE_QUERY
        self.session_goes_on = state[:2] in _SESSION_GOES_ON
        self.is_lasting = state[:2] in _LASTING


@implementer(IReadWriteDescriptor)
class Session:
    """Runs queries, some at a time: they travel together, and so do their results.

    What is run together is one transaction.  After a failure the connection is closed,
    unless the failure has nothing to do with it.

    :param connection: in autocommit mode; it belongs to the session from now on.
    :param notified: called with each notification: which backend sent it, and what it says.
    :param lost: called once, with the reason, when the connection was let go by itself.

    :ivar backend_pid: the process that serves this session.
    """

    def __init__(
        self,
        reactor: Any,
        connection: psycopg.Connection[Any],
        notified: Callable[[int, bytes], None],
        lost: Callable[[Exception], None],
    ) -> None:
        self._reactor = reactor
        self._connection = connection
        self._pgconn: PGconn = connection.pgconn
        self._notified = notified
        self._lost = lost
        self._names: dict[bytes, bytes] = {}
        self._new_names: list[bytes] = []
        self._prepared = 0
        self._rows: list[Row] = []
        self._failed: QueryFailed | None = None
        self._result: Deferred[list[Row]] | None = None
        self.backend_pid = self._pgconn.backend_pid
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        # One of our own: libpq closes its one when it pleases, behind the reactor's back.
        # It may fail, at the limit of open files.
        self._socket = os.dup(self._pgconn.socket)
        reactor.addReader(self)

    def run(self, queries: Sequence[Query]) -> Deferred[list[Row]]:
        """Run some queries; fires with the first row of each that returns rows.

        It must not be called again before that.  If one query fails, so does this, and none
        of them has done anything; unless the connection was lost, when that is not known.

        :raises QueryFailed: if a query failed in the server.
        """
        assert self._result is None
        assert self._socket >= 0
        result = self._result = Deferred()
        self._rows = []
        self._new_names.clear()
        try:
            for sql, parameters in queries:
                self._send(sql, parameters)
            self._pgconn.pipeline_sync()
            if self._pgconn.flush():
                self._reactor.addWriter(self)
        except psycopg.Error as error:
            self.fail(error)
        return result

    def _send(self, sql: bytes, parameters: tuple[bytes | None, ...]) -> None:
        name = self._names.get(sql)
        if name is None:
            self._prepared += 1
            name = self._names[sql] = b"%d" % self._prepared
            self._new_names.append(sql)
            self._pgconn.send_prepare(name, sql)
        self._pgconn.send_query_prepared(name, parameters)

    def close(self) -> None:
        """Let the connection go, whatever state it is in; a result never comes."""
        if self._socket < 0:
            return
        self._reactor.removeReader(self)
        self._reactor.removeWriter(self)
        os.close(self._socket)
        self._socket = -1
        self._connection.close()

    def fail(self, error: Exception) -> None:
        """Let the connection go, because of an error."""
        if self._socket < 0:
            return
        self.close()
        # First the owner, so that it runs nothing more here.
        self._lost(error)
        result, self._result = self._result, None
        if result is not None:
            result.errback(error)

    # Calls of the reactor

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self._socket

    def logPrefix(self) -> str:
        """What a log calls this."""
        return "chatter PostgreSQL"

    def doRead(self) -> None:
        """Take what the server has sent."""
        try:
            self._pgconn.consume_input()
            self._take_results()
            while self._socket >= 0 and (notification := self._pgconn.notifies()) is not None:
                self._notified(notification.be_pid, notification.extra)
        except (psycopg.Error, QueryFailed) as error:
            self.fail(error)

    def doWrite(self) -> None:
        """Send what could not be sent at once."""
        try:
            if not self._pgconn.flush():
                self._reactor.removeWriter(self)
        except psycopg.Error as error:
            self.fail(error)

    def connectionLost(self, reason: Failure) -> None:
        """Note that the server has closed the connection."""
        assert isinstance(reason.value, Exception)
        self.fail(reason.value)

    def _take_results(self) -> None:
        pgconn = self._pgconn
        while self._result is not None and not pgconn.is_busy():
            result = pgconn.get_result()
            if result is None:
                # One stands after each result, and no end of them after the last.
                if pgconn.status == ConnStatus.BAD:
                    raise psycopg.OperationalError("the connection is lost")
            elif result.status == ExecStatus.TUPLES_OK:
                self._rows.append(_first_row(result))
            elif result.status == ExecStatus.PIPELINE_SYNC:
                self._fire()
            elif result.status == ExecStatus.FATAL_ERROR:
                self._failed = QueryFailed(result)
                if not self._failed.session_goes_on:
                    raise self._failed
            elif result.status not in (ExecStatus.COMMAND_OK, ExecStatus.PIPELINE_ABORTED):
                raise QueryFailed(result)

    def _fire(self) -> None:
        result, self._result = self._result, None
        failed, self._failed = self._failed, None
        assert result is not None
        if failed is None:
            result.callback(self._rows)
            return
        # Which of the statements were prepared before the failure is not known.
        for sql in self._new_names:
            del self._names[sql]
        result.errback(failed)


def _first_row(result: PGresult) -> Row:
    if not result.ntuples:
        return ()
    return tuple(result.get_value(0, column) for column in range(result.nfields))
