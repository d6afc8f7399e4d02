"""The stores that the machine drives, and what can happen to each."""

from __future__ import annotations

import os
import select
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from chatter.stores.memory import MemoryStore
from chatter.stores.postgres import PostgresStore
from chatter.stores.sqlite import SQLiteStore
from tests.postgres.server import PostgresServer
from tests.property.hand_reactor import HandReactor


class MemoryPlace:
    """Where a store in memory is: nowhere; it can be stopped, and started again."""

    def __init__(self, reactor: HandReactor) -> None:
        self.store = MemoryStore()
        self.store.startService()

    def settle(self) -> None:
        """Nothing is ever under way."""

    def restart(self) -> None:
        self.store.stopService()
        self.store.listener = None
        self.store.startService()

    def close(self) -> None:
        self.store.stopService()


# The crashes are copies of files, so no commit need wait for a disk.
_IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class SQLitePlace:
    """A folder with a database, which can be copied as a crash leaves it."""

    def __init__(self, reactor: HandReactor) -> None:
        self._reactor = reactor
        self._folders: list[Path] = []
        self._new_folder()
        self._open()

    def _new_folder(self) -> None:
        self._folders.append(Path(mkdtemp(prefix="chatter-property-", dir=_IN_MEMORY)))

    def _open(self) -> None:
        self.store = SQLiteStore(self._folders[-1] / "chat", self._reactor)
        self._reactor.result_of(self.store.startService())

    def settle(self) -> None:
        """Wait for what the store does by itself."""
        self._reactor.advance(0)
        while self.store._writer.batches._busy or self.store._reader._batches._busy:
            self._reactor.take()()
            self._reactor.advance(0)

    def restart(self) -> None:
        """Stop, and start again."""
        self._reactor.result_of(self.store.stopService())
        self._open()

    def crash(self, *, committed: bool) -> None:
        """Go on as after a ``kill -9``.

        :param committed: it comes after the commit of what is under way, but before its
            results; else it comes before the commit.
        """
        held = None
        if committed:
            self._reactor.advance(0)
            held = self._reactor.take()
        self._new_folder()
        for name in ("chat", "chat-wal"):
            if (self._folders[-2] / name).exists():
                shutil.copy(self._folders[-2] / name, self._folders[-1])
        if held is not None:
            held()
        self._reactor.result_of(self.store.stopService())
        self._open()

    def close(self) -> None:
        self._reactor.result_of(self.store.stopService())
        for folder in self._folders:
            shutil.rmtree(folder)


class PostgresPlace:
    """A database, with one node that may lose it as a crash does."""

    server: PostgresServer
    database: str

    def __init__(self, reactor: HandReactor) -> None:
        self._reactor = reactor
        with self.server.connect(self.database) as connection:
            connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        self._open()

    def _open(self) -> None:
        url = self.server.socket_url(self.database)
        self.store: Any = PostgresStore.make_store(url, self._reactor)
        self._reactor.result_of(self.store.startService())

    def settle(self) -> None:
        """Wait for what the store does by itself."""
        store = self.store
        self._reactor.advance(0)
        while (
            store._writes.batches._busy
            or store._reads._batches._busy
            or store._tail._reading is not None
            or store._progress._saving is not None
            or store._progress._next_save is not None
        ):
            self._reactor.take()()
            self._reactor.advance(0)

    def restart(self) -> None:
        """Stop, and start again."""
        self._reactor.result_of(self.store.stopService())
        self._open()

    def crash(self, *, committed: bool) -> None:
        """Go on as after a ``kill -9``, which the database hears as a lost connection.

        :param committed: it comes after the commit of what is under way, but before its
            results; else it comes before the commit.
        """
        store = self.store
        if committed:
            self._reactor.advance(0)
            while store._writes.batches._jobs:
                self._reactor.take()()
                self._reactor.advance(0)
            if store._writes.batches._busy:
                select.select([store._connected.writer._session], (), ())
        for link in (store._connected.writer, store._connected.reader):
            link.hurry(1)
            link._session.fail(ConnectionError("it is a crash"))
        self._reactor.result_of(store.stopService())
        self._open()

    def close(self) -> None:
        self._reactor.result_of(self.store.stopService())
