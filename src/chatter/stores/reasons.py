"""Why something does not work, for the log: each new reason once, not each attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.protocol.errors import StoreUnavailable
from chatter.system_errors import reason_of

if TYPE_CHECKING:
    from twisted.logger import Logger
    from twisted.python.failure import Failure


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
        self._logged: set[str] = set()

    def failed(self, error: BaseException) -> None:
        """Note that it has failed, and log why if that is new."""
        self.reason = one_line(error)
        if self.reason not in self._logged and len(self._logged) < _MOST:
            self._logged.add(self.reason)
            self._log.warn("{what}: {reason}", what=self._what, reason=self.reason)

    def worked(self) -> None:
        """Note that it has worked, and log that if it had not before."""
        if self.reason is None:
            return
        self.reason = None
        self._logged.clear()
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
        self._logged: set[str] = set()

    def failed(self, failure: Failure) -> None:
        """Note that it has failed, and log why if that is new."""
        reason = one_line(failure.value) if failure.value else ""
        if failure.check(StoreUnavailable) or reason in self._logged or len(self._logged) >= _MOST:
            return
        self._logged.add(reason)
        self._log.failure(self._what, failure)

    def worked(self) -> None:
        """Note that it has worked."""
        self._logged.clear()


def one_line(error: BaseException) -> str:
    """What an error says, as one line; its type where it says nothing."""
    return " ".join(reason_of(error).split()) or type(error).__name__


_MOST = 20
"""So many reasons are logged until it works again: some name a port or a time."""
