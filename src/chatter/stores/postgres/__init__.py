"""The store in a PostgreSQL database, which several servers share as one chat."""

from chatter.stores.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
