"""For those who test what they build with chatter, under pytest or trial.

Authors of a store subclass :class:`StoreContract`, or :class:`DurableStoreContract`
if theirs survives a restart, and say how to make one.  Then pytest with pytest-twisted,
or trial if it is a ``TestCase`` as well, proves what
:class:`chatter.log.interfaces.IChatStore` promises::

    class TestMyStore(DurableStoreContract):
        @pytest.fixture(autouse=True)
        def place(self, tmp_path):
            self.path = tmp_path / "chat"

        def make_store(self):
            return MyStore(self.path, reactor)

Applications that embed a chat get one in memory from :func:`memory_chat`, and
clients of it from :func:`memory_client`::

    class WelcomeTests(SynchronousTestCase):
        def test_who_joins_is_welcomed(self):
            chat = memory_chat(Clock())
            application = MyApplication(chat)
            alice = memory_client(chat)
            self.successResultOf(alice.connect("alice"))
            ...
"""

import sys
from pathlib import Path

if "pytest" in sys.modules:
    # So that the contracts say what was there instead, too, when a promise is broken.
    sys.modules["pytest"].register_assert_rewrite(
        *(f"{__name__}.{file.stem}" for file in Path(__file__).parent.glob("[!_]*.py"))
    )

from chatter.testing.durable_contract import DurableStoreContract
from chatter.testing.memory import memory_chat, memory_client
from chatter.testing.store_contract import StoreContract

__all__ = ["DurableStoreContract", "StoreContract", "memory_chat", "memory_client"]
