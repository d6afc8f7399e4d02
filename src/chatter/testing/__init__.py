"""For those who test what they build with chatter.

Authors of a store subclass :class:`StoreContract`, or :class:`DurableStoreContract`
if theirs survives a restart, and say how to make one; pytest with pytest-twisted
then proves what :class:`~chatter.interfaces.IChatStore` promises::

    class TestMyStore(DurableStoreContract):
        @pytest.fixture(autouse=True)
        def place(self, tmp_path):
            self.path = tmp_path / "chat"

        def make_store(self):
            return MyStore(self.path, reactor)

Applications that embed a chat get one in memory from :func:`memory_chat`.
"""

from __future__ import annotations

from typing import Any

from chatter.chat import Chat
from chatter.stores.memory import MemoryStore
from chatter.testing.store_contract import DurableStoreContract, StoreContract

__all__ = ["DurableStoreContract", "StoreContract", "memory_chat"]


def memory_chat(clock: Any, history: int = 20) -> Chat:
    """A chat in memory, open, whose time is in your hands.

    :param clock: an ``IReactorTime`` provider, such as ``twisted.internet.task.Clock``.
    """
    store = MemoryStore()
    store.startService()
    return Chat(store, clock, history=history)
