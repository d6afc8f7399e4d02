"""chatter's own server on a store as one would write it first: each message is a transaction.

``python chatter_pool.py PORT URL ordered|sequence``.  Eight threads have a connection each and
commit what comes, message by message.  ``ordered`` keeps chatter's promises, with its own
schema: ids in the order of the commits, and a notification.  ``sequence`` does not: readers
would skip messages.  Users are kept in memory and listeners are told nothing, as nothing
but the sends is measured here.
"""

from __future__ import annotations

import sys
from importlib.resources import files
from threading import local
from typing import TYPE_CHECKING

import psycopg
from msgspec import json
from msgspec.structs import astuple
from twisted.internet import reactor
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from chatter.chat import Chat
from chatter.chat.limits.rate_limits import NO_LIMITS
from chatter.protocol.model import Draft, Message
from chatter.stores.memory import MemoryStore
from chatter.web.root import ChatResource
from chatter.web.site import ChatSite

if TYPE_CHECKING:
    from typing import Any

CONNECTIONS = 8

SCHEMA = (files("chatter.stores.postgres.schema") / "001_log.sql").read_text()

WITH_A_SEQUENCE = """
ALTER TABLE messages ALTER id ADD GENERATED ALWAYS AS IDENTITY
"""

INSERT = """
INSERT INTO messages (sender_id, recipient_id, text, sent_at, idempotency_key)
VALUES (%s, %s, %s, %s, %s) RETURNING id
"""

APPEND = "SELECT last_id + 1 FROM write_batch(%s, NULL, NULL)"


class PoolStore(MemoryStore):
    """Commits each message by itself."""

    def __init__(self, url: str, *, is_ordered: bool) -> None:
        super().__init__()
        self._url = url
        self._is_ordered = is_ordered
        self._mine = local()
        self._pool = ThreadPool(CONNECTIONS, CONNECTIONS, "pool")
        self._pool.start()
        reactor.addSystemEventTrigger("during", "shutdown", self._pool.stop)
        with psycopg.connect(url) as connection:
            connection.execute(SCHEMA)
            if not is_ordered:
                connection.execute(WITH_A_SEQUENCE)

    async def append(self, draft: Draft) -> Message:
        return await deferToThreadPool(reactor, self._pool, self._insert, draft)

    def _insert(self, draft: Draft) -> Message:
        if self._is_ordered:
            done = self._connection().execute(APPEND, [json.encode([draft]).decode()], prepare=True)
        else:
            done = self._connection().execute(INSERT, astuple(draft), prepare=True)
        (message_id,) = done.fetchone() or ()
        recipient_id, text, sent_at = draft.recipient_id, draft.text, draft.sent_at
        return Message(message_id, draft.sender_id, recipient_id, text, sent_at)

    def _connection(self) -> psycopg.Connection[Any]:
        """The connection of the thread that asks."""
        if not hasattr(self._mine, "connection"):
            self._mine.connection = psycopg.connect(self._url, autocommit=True)
        connection: psycopg.Connection[Any] = self._mine.connection
        return connection


port, url, ids = sys.argv[1:]
store = PoolStore(url, is_ordered=ids == "ordered")
store.startService()
resource = ChatResource(Chat(store, reactor), limits=NO_LIMITS)
site = ChatSite(resource, reactor, limits=NO_LIMITS)
listening = reactor.listenTCP(int(port), site, backlog=4096, interface="127.0.0.1")
site.sockets.take_over(listening)
reactor.run()
