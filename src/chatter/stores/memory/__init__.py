"""The store in memory: everything is gone when the process ends."""

from chatter.stores.memory.store import MemoryStore

__all__ = ["MemoryStore"]
