"""Who asks: by the token in the ``Authorization`` header, or as the application says."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, TypeAlias

from cachetools import FIFOCache

from chatter.errors import Unauthorized

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from twisted.web.server import Request

    from chatter.chat import Chat
    from chatter.model import User

Authenticate: TypeAlias = "Callable[[Request], Awaitable[User | None]]"
"""An application's own way to tell who asks; ``None`` for nobody it knows."""

_REMEMBERED_USERS = 20_000


def token_of(request: Request) -> str | None:
    """The token that a request carries, with or without ``Bearer`` before it."""
    header = request.getHeader(b"authorization")
    if header is None:
        return None
    scheme, _, token = header.decode("latin-1").strip().partition(" ")
    return token.strip() if token and scheme.lower() == "bearer" else scheme


class Authentication:
    """Maps requests to users, and notes that these are there.

    :param authenticate: the application's own way; without it users have tokens.
    """

    def __init__(self, chat: Chat, authenticate: Authenticate | None = None) -> None:
        self._chat = chat
        self._authenticate = authenticate
        self.uses_tokens = authenticate is None
        # By what they say of themselves, as far as a token has been in it lately.
        self._known: FIFOCache[bytes, User] = FIFOCache(_REMEMBERED_USERS)

    def known_user(self, request: Request) -> User | None:
        """The user who asks, if that is known without waiting; it is then there."""
        # Our own server has the very same head again, if a client sends it again.
        head = getattr(request, "head", None)
        note = None if head is None else head.note
        if note is not None and note[0] is self:
            user: User = note[1]
        else:
            known = self._known.get(_in_memory(request.getHeader(b"authorization") or b""))
            if known is None:
                return None
            user = known
            if head is not None:
                head.note = (self, user)
        self._chat.presence.see(user.id)
        return user

    async def user_of(self, request: Request) -> User:
        """The user who asks.

        :raises Unauthorized: if it is nobody known.
        """
        user: User | None = None
        if self._authenticate is not None:
            user = await self._authenticate(request)
        elif token := token_of(request):
            user = await self._chat.authenticate(token)
            self._known[_in_memory(request.getHeader(b"authorization") or b"")] = user
        if user is None:
            raise Unauthorized("This needs the token of a user: Authorization: Bearer TOKEN.")
        self._chat.see(user)
        return user


def _in_memory(header: bytes) -> bytes:
    """What is kept of a secret, for which another hash will do than in the store.

    OpenSSL's takes longer to set up than all else that a known user needs.
    """
    return blake2b(header).digest()
