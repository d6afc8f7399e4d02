"""A chat in memory, and clients of it, for tests of what embeds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from treq.testing import RequestTraversalAgent

from chatter.chat.chat import Chat, core_of
from chatter.chat.limits.rate_limits import NO_LIMITS
from chatter.client import ChatClient
from chatter.stores.memory import MemoryStore
from chatter.web import ChatResource

if TYPE_CHECKING:
    from chatter.protocol.scalars import JoinPolicy


def memory_chat(
    clock: Any,
    history: int = 20,
    *,
    token_lifetime: float | None = None,
    joining: JoinPolicy = "open",
) -> Chat:
    """A chat in memory, open, whose clock the test moves.

    :param clock: an ``IReactorTime`` provider, such as ``twisted.internet.task.Clock``.

    The others are as for :class:`chatter.Chat`.
    """
    chat = Chat(
        MemoryStore(), clock, history=history, token_lifetime=token_lifetime, joining=joining
    )
    chat.startService()
    return chat


def memory_client(chat: Chat, token: str | None = None) -> ChatClient:
    """A client of a chat, with all of HTTP between them but no network.

    Nothing is limited.  A response that the chat makes at once is there at once.
    ``ChatClient.follow`` needs a real connection, because its response goes on.
    """
    agent: Any = RequestTraversalAgent(ChatResource(chat, limits=NO_LIMITS))
    return ChatClient("http://chat.example", agent=agent, clock=core_of(chat).clock, token=token)
