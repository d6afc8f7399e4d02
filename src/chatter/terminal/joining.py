"""Joining the chat: as the user of last time, or as a new one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from chatter.protocol.errors import InvalidRequest, NameTaken, Unauthorized
from chatter.protocol.scalars import MAX_NAME
from chatter.terminal.tokens import Identity

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from chatter.client import ChatClient
    from chatter.protocol.bodies import Connected
    from chatter.terminal.outage import Persist
    from chatter.terminal.tokens import TokenFile


class Joining:
    """How the client joins.

    :param persist: what to do when the server is away.
    :param tell: shows a line to the person at the terminal.
    :param ask_name: asks for a name, ``None`` for any; left out where nobody can be asked.

    :ivar came_back: whether it joined as a user who was there before.
    """

    def __init__(
        self,
        client: ChatClient,
        tokens: TokenFile,
        persist: Persist,
        tell: Callable[[str], None],
        ask_name: Callable[[], Awaitable[str | None]] | None = None,
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._persist = persist
        self._tell = tell
        self._ask_name = ask_name
        self.came_back = False

    async def join(self, name: str | None, invitation: str | None = None) -> Connected:
        """Join, as the user with that name, and keep the token.

        :param name: without it, the last one used at this server; if there is none,
            the person is asked.
        :param invitation: to join as somebody new a chat that is not open.
        :raises Forbidden: if one can't join, or not with this invitation.
        :raises NameTaken: if somebody else has the name, and nobody can be asked.
        :raises InvalidRequest: if nobody can have the name, and nobody can be asked.
        :raises OSError: if the token can't be kept.
        :raises UnreadableTokens: if their file holds something else.
        """
        known = self._tokens.find(self._client.url, name)
        connected = None
        self.came_back = False
        if known is not None:
            connected = await self._come_back(known)
            self.came_back = connected is not None
            name = known.name
        if connected is None:
            connected = await self._join_anew(name, invitation, may_ask=known is None)
        if self._client.token is not None:
            name = connected.name[:MAX_NAME]
            self._tokens.keep(self._client.url, Identity(name, self._client.token))
        return connected

    async def _come_back(self, known: Identity) -> Connected | None:
        self._client.token = known.token
        try:
            return await self._persist(self._client.connect)
        except Unauthorized:
            self._client.token = None
            self._tokens.forget(self._client.url, known)
            self._tell("The server does not know your token any more. You join as somebody new.")
            return None

    async def _join_anew(
        self, name: str | None, invitation: str | None, *, may_ask: bool
    ) -> Connected:
        if name is None and may_ask and self._ask_name is not None:
            name = await self._ask_name()
        while True:
            try:
                join = partial(self._client.connect, name, invitation=invitation)
                return await self._persist(join)
            except (NameTaken, InvalidRequest) as error:
                if self._ask_name is None:
                    raise
                self._tell(error.detail)
                name = await self._ask_name()
