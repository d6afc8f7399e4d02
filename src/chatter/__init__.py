"""A chat server over HTTP for Twisted, and the client for it.

One append-only log of messages, and everybody who reads it is a cursor into that
log.  An application imports from here::

    from chatter import Chat, ChatClient, ChatResource, ChatService, make_store

Each of these is imported when it is first used: ``import chatter`` alone is
cheap, and none of them installs a reactor.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from chatter.version import __version__

if TYPE_CHECKING:
    from chatter.chat.chat import Chat
    from chatter.chat.limits.rate_limits import NO_LIMITS, RateLimits
    from chatter.chat.rates import Rate
    from chatter.client.backoff import Retries
    from chatter.client.chat_client import ChatClient
    from chatter.protocol.model import Message
    from chatter.service import ChatService
    from chatter.stores.registry import make_store
    from chatter.web.root import ChatResource

__all__ = [
    "NO_LIMITS",
    "Chat",
    "ChatClient",
    "ChatResource",
    "ChatService",
    "Message",
    "Rate",
    "RateLimits",
    "Retries",
    "__version__",
    "make_store",
]

_MODULES = {
    "NO_LIMITS": "chatter.chat.limits.rate_limits",
    "Chat": "chatter.chat.chat",
    "ChatClient": "chatter.client.chat_client",
    "ChatResource": "chatter.web.root",
    "ChatService": "chatter.service",
    "Message": "chatter.protocol.model",
    "Rate": "chatter.chat.rates",
    "RateLimits": "chatter.chat.limits.rate_limits",
    "Retries": "chatter.client.backoff",
    "make_store": "chatter.stores.registry",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, imported or not."""
    return sorted({*globals(), *__all__})
