"""The store in a SQLite file: durable, in one process, with nothing to install."""

from chatter.stores.sqlite.store import SQLiteStore

__all__ = ["SQLiteStore"]
