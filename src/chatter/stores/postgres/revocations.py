"""Whose tokens were revoked, at this server or at another one.

Each revocation has a number.  A notification tells the servers of it; one that has lost its
connection meanwhile reads what has a larger number than it knows, when it is connected again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import json

from chatter.protocol.scalars import MAX_ID
from chatter.stores.postgres.session import query

if TYPE_CHECKING:
    from collections.abc import Callable

    from chatter.stores.postgres.session import Query, Row

# Read while the log is locked: what is revoked later is notified.
READ_REVOCATIONS = b"""
    SELECT (SELECT number FROM revocations ORDER BY number DESC LIMIT 1),
           (SELECT json_agg(user_id) FROM revocations WHERE number > $1)
"""

_PREFIX = b"revoked "

_ids = json.Decoder(list[int]).decode


class Revocations:
    """Tells of each revocation.

    :ivar report: called with the id of the user.
    """

    def __init__(self) -> None:
        self.report: Callable[[int], None] | None = None
        self._newest: int | None = None

    def read(self) -> Query:
        """The query for the revocations that were not told of."""
        # Nothing is known of a token before the first connection.
        return query(READ_REVOCATIONS, MAX_ID if self._newest is None else self._newest)

    def were_read(self, row: Row) -> None:
        """Tell of what was read."""
        newest, user_ids = row
        self._newest = 0 if newest is None else int(newest)
        for user_id in [] if user_ids is None else _ids(user_ids):
            self._tell(user_id)

    def notified(self, payload: bytes) -> bool:
        """Tell of a revocation at another server, if the notification is of one."""
        if not payload.startswith(_PREFIX):
            return False
        number, user_id = payload.removeprefix(_PREFIX).split()
        self.happened(int(number), int(user_id))
        return True

    def happened(self, number: int, user_id: int) -> None:
        """Tell of a revocation."""
        self._newest = number
        self._tell(user_id)

    def _tell(self, user_id: int) -> None:
        if self.report is not None:
            self.report(user_id)
