"""chatter's own server on a store as one would write it first: each message is a transaction.

``python chatter_pool.py PORT URL``.  Eight threads have a connection each and commit what
comes, message by message, with an id from a sequence.  Users are kept in memory and
listeners are told nothing, so nothing but the sends is to be measured here.
"""

from __future__ import annotations

import sys
from threading import local
from typing import TYPE_CHECKING

import psycopg
from msgspec.structs import astuple
from twisted.internet import reactor
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from chatter.chat import Chat
from chatter.model import Draft, Message
from chatter.stores.memory import MemoryStore
from chatter.web.root import ChatResource
from chatter.web.site import ChatSite

if TYPE_CHECKING:
    from typing import Any

CONNECTIONS = 8

CREATE = """
CREATE TABLE messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sender_id bigint NOT NULL,
    recipient_id bigint,
    text text NOT NULL,
    sent_at timestamptz NOT NULL,
    idempotency_key text
);
CREATE INDEX general_messages ON messages (id) WHERE recipient_id IS NULL;
CREATE UNIQUE INDEX idempotency_keys ON messages (sender_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
"""

INSERT = """
INSERT INTO messages (sender_id, recipient_id, text, sent_at, idempotency_key)
VALUES (%s, %s, %s, %s, %s) RETURNING id
"""


class PoolStore(MemoryStore):
    """Commits each message by itself."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._mine = local()
        self._pool = ThreadPool(CONNECTIONS, CONNECTIONS, "pool")
        self._pool.start()
        reactor.addSystemEventTrigger("during", "shutdown", self._pool.stop)
        with psycopg.connect(url) as connection:
            connection.execute(CREATE)

    async def append(self, draft: Draft) -> Message:
        return await deferToThreadPool(reactor, self._pool, self._insert, draft)

    def _insert(self, draft: Draft) -> Message:
        found: Any = self._connection().execute(INSERT, astuple(draft), prepare=True).fetchone()
        recipient_id, text, sent_at = draft.recipient_id, draft.text, draft.sent_at
        return Message(found[0], draft.sender_id, recipient_id, text, sent_at)

    def _connection(self) -> psycopg.Connection[Any]:
        """The connection of the thread that asks."""
        if not hasattr(self._mine, "connection"):
            self._mine.connection = psycopg.connect(self._url, autocommit=True)
        connection: psycopg.Connection[Any] = self._mine.connection
        return connection


store = PoolStore(sys.argv[2])
store.startService()
site = ChatSite(ChatResource(Chat(store, reactor)), reactor)
reactor.listenTCP(int(sys.argv[1]), site, backlog=4096, interface="127.0.0.1")
reactor.run()
