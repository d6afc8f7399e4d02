"""For those who test what they build with chatter.

Authors of a store subclass :class:`StoreContract`, or :class:`DurableStoreContract`
if theirs survives a restart, and say how to make one; pytest with pytest-twisted
then proves what :class:`~chatter.log.interfaces.IChatStore` promises::

    class TestMyStore(DurableStoreContract):
        @pytest.fixture(autouse=True)
        def place(self, tmp_path):
            self.path = tmp_path / "chat"

        def make_store(self):
            return MyStore(self.path, reactor)

Applications that embed a chat get one in memory from :func:`memory_chat`, and
clients of it from :func:`memory_client`.
"""

from chatter.testing.durable_contract import DurableStoreContract
from chatter.testing.memory import memory_chat, memory_client
from chatter.testing.store_contract import StoreContract

__all__ = ["DurableStoreContract", "StoreContract", "memory_chat", "memory_client"]
