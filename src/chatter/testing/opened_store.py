"""The opened store that a test of the contract uses."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from chatter.testing.waiting import finished

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from chatter.log.interfaces import IChatStore


class OpenedStore:
    """Tests that have a store to open."""

    def make_store(self) -> IChatStore:
        """Make a store that is not open, on the data of this test."""
        raise NotImplementedError

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[IChatStore]:
        """A store that is open for a while."""
        store = self.make_store()
        await finished(store.startService())
        try:
            yield store
        finally:
            await finished(store.stopService())
