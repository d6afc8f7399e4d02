"""An application's callbacks for whether the server can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from chatter.client.errors import NoResponse
    from chatter.protocol.errors import TransientError


class Watcher(Protocol):
    """Is notified whether the server can be reached, while the client retries."""

    def lost(self, error: NoResponse | TransientError) -> None:
        """An attempt has failed with this error; another one will follow."""

    def found(self) -> None:
        """An attempt has succeeded, after others that failed or at the beginning."""

    def history_changed(self, moved_from: int, moved_to: int) -> None:
        """The server's log is another one since this id: it was restored to an older state.

        Reading goes on after that.  What was read between the two ids may be gone, and
        new messages may have ids that others had.
        """

    def no_longer_kept(self, after: int, until: int) -> None:
        """The server does not keep messages any more that come after the first id.

        Reading goes on after the second one.  Some of what is gone was perhaps for this user.
        """
