"""Tells twistd of ``twistd chatter``, and chatter of its own stores."""

from twisted.application.service import ServiceMaker

from chatter.stores.plugin import StoreMaker

chatter = ServiceMaker("chatter", "chatter.tap", "A chat server over HTTP.", "chatter")
memory = StoreMaker("memory", "memory:", "chatter.stores.memory.MemoryStore")
sqlite = StoreMaker("sqlite", "sqlite:chatter.sqlite", "chatter.stores.sqlite.SQLiteStore")
postgresql = StoreMaker(
    "postgresql",
    "postgresql://localhost/chat",
    "chatter.stores.postgres.PostgresStore",
    extra="postgres",
)
postgres = StoreMaker(
    "postgres",
    "postgres://localhost/chat",
    "chatter.stores.postgres.PostgresStore",
    extra="postgres",
)
