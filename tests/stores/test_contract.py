"""Our own stores keep what every store promises."""

from __future__ import annotations

import pytest
from twisted.internet import reactor

from chatter.stores.memory import MemoryStore
from chatter.stores.registry import make_store
from chatter.stores.sqlite import SQLiteStore
from chatter.testing import DurableStoreContract, StoreContract


class TestMemoryStore(StoreContract):
    """The store in memory."""

    def make_store(self):
        return MemoryStore()


class TestSQLiteStore(DurableStoreContract):
    """The store in a SQLite file, with real threads and a real file."""

    @pytest.fixture(autouse=True)
    def place(self, tmp_path):
        self.path = tmp_path / "chatter.sqlite"

    def make_store(self):
        return SQLiteStore(self.path, reactor)


class TestPostgresStore(DurableStoreContract):
    """The store in a PostgreSQL database, on a real server."""

    @pytest.fixture(autouse=True)
    def place(self, postgres, database):
        self.url = postgres.url(database)

    def make_store(self):
        return make_store(self.url, reactor)
