"""A listener to whether the server can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from chatter.client.errors import NoResponse
    from chatter.protocol.errors import TransientError


class Watcher(Protocol):
    """Hears whether the server can be reached, while the client tries again."""

    def lost(self, error: NoResponse | TransientError) -> None:
        """An attempt has failed with this error; another one will follow."""

    def found(self) -> None:
        """An attempt has succeeded, after others that failed or at the beginning."""
