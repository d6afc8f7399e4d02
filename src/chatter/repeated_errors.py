"""Why something does not work, for the log: each new reason once, not each attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.protocol.errors import StoreUnavailable
from chatter.system_errors import reason_of

if TYPE_CHECKING:
    from twisted.logger import Logger
    from twisted.python.failure import Failure

_MOST = 20
"""So many reasons are logged until it works again: some name a port or a time."""


class _NewReasons:
    """Tells which reasons are new, since it last worked."""

    def __init__(self) -> None:
        self._logged: set[str] = set()

    def is_new(self, reason: str) -> bool:
        """Whether a reason is to be logged now, the only time."""
        if reason in self._logged or len(self._logged) >= _MOST:
            return False
        self._logged.add(reason)
        return True

    def clear(self) -> None:
        """Begin anew: it works again."""
        self._logged.clear()


class Reasons:
    """Logs why something fails again and again, until it works again.

    :param log: where to.
    :param what: the subject of the lines, such as ``The database /x can't be written``.
    :param again: the line that says that it works again.

    :ivar reason: why it does not work; ``None`` while it works.
    """

    def __init__(self, log: Logger, what: str, again: str) -> None:
        self.reason: str | None = None
        self._log = log
        self._what = what
        self._again = again
        self._new = _NewReasons()

    def failed(self, error: BaseException) -> None:
        """Note that it has failed, and log why if that is new."""
        self.reason = one_line(error)
        if self._new.is_new(self.reason):
            self._log.warn("{what}: {reason}", what=self._what, reason=self.reason)

    def worked(self) -> None:
        """Note that it has worked, and log that if it had not before."""
        if self.reason is None:
            return
        self.reason = None
        self._new.clear()
        self._log.info("{again}", again=self._again)


class UnexpectedErrors:
    """Logs, with a traceback, what goes wrong in a loop that goes on after any exception.

    Each new reason is logged once, until it works again.  A store that is away says so itself.

    :param log: where to.
    :param what: the line, such as ``An erasure could not go on.``
    """

    def __init__(self, log: Logger, what: str) -> None:
        self._log = log
        self._what = what
        self._new = _NewReasons()

    def failed(self, failure: Failure) -> None:
        """Note that it has failed, and log why if that is new."""
        reason = one_line(failure.value) if failure.value else ""
        if not failure.check(StoreUnavailable) and self._new.is_new(reason):
            self._log.failure(self._what, failure)

    def worked(self) -> None:
        """Note that it has worked."""
        self._new.clear()


def one_line(error: BaseException) -> str:
    """What an error says, as one line; its type where it says nothing."""
    return " ".join(reason_of(error).split()) or type(error).__name__
