"""Who asks: by the token in the ``Authorization`` header, or as the application says."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from chatter.protocol.errors import Unauthorized
from chatter.web.lean import lean

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from twisted.web.server import Request

    from chatter.chat.core import ChatCore
    from chatter.protocol.model import User

Authenticate: TypeAlias = "Callable[[Request], Awaitable[User | None]]"
"""An application's own way to tell who asks; ``None`` for nobody it knows."""


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

    def __init__(self, core: ChatCore, authenticate: Authenticate | None = None) -> None:
        self._core = core
        self._authenticate = authenticate
        self.uses_tokens = authenticate is None

    def known_user(self, request: Request) -> User | None:
        """The user who asks, if that is known without waiting; it is then there."""
        if self._authenticate is not None:
            return None
        header = request.getHeader(b"authorization")
        # Our own server has the very same head again, if a client sends it again.  But a
        # resource on the way may have set another field than the client sent.
        lean_request = lean(request)
        head = None if lean_request is None else lean_request.request_head
        note = None if head is None else head.note
        if note is not None and note[0] is self and note[1] is header:
            user: User | None = note[2]
        else:
            token = token_of(request)
            user = self._core.directory.known_by_token(token) if token else None
            if head is not None and user is not None:
                head.note = (self, header, user)
        if user is not None:
            self._core.presence.see(user.id)
        return user

    async def user_or_nobody(self, request: Request) -> User | None:
        """The user of a request; ``None`` if it does not say whose it is.

        :raises Unauthorized: if it carries a token that is nobody's.
        """
        try:
            return await self.user_of(request)
        except Unauthorized:
            if self.uses_tokens and token_of(request) is not None:
                raise
            return None

    async def user_of(self, request: Request) -> User:
        """The user who asks.

        :raises Unauthorized: if it is nobody known.
        """
        user: User | None = None
        if self._authenticate is not None:
            user = await self._authenticate(request)
        elif token := token_of(request):
            user = await self._core.directory.by_token(token)
        if user is None:
            raise Unauthorized("This needs the token of a user: Authorization: Bearer TOKEN.")
        self._core.presence.see(user.id)
        return user
