"""Joining a chat: once as somebody new, and from then on as the same user."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import UNSET

from chatter.client import requests
from chatter.client.errors import UnexpectedResponse
from chatter.protocol.bodies import Connected
from chatter.protocol.errors import ChatError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from chatter.client.retries import Attempts

_TOKEN = re.compile(r"[!-~]{1,1024}")


class Joining:
    """Makes one user, however often it has to be tried.

    :param attempts: sends the requests; gets the token.
    :param new_key: makes a random key.
    """

    def __init__(self, attempts: Attempts, new_key: Callable[[], str]) -> None:
        self._attempts = attempts
        self._new_key = new_key
        self._unfinished: tuple[str | None, str] | None = None

    async def join(self, name: str | None, key: str | None, invitation: str | None) -> Connected:
        """Join as somebody new.

        Without a key, a call after one that failed on the way to the server, or on
        the way back, has the key of that one: it is the same joining.

        :raises Forbidden: if one can't join, or not with this invitation.
        :raises NameTaken: if somebody has that name.
        :raises InvalidRequest: if nobody can have it, or the key is not valid.
        """
        if key is None:
            if self._unfinished is None or self._unfinished[0] != name:
                self._unfinished = (name, self._new_key())
            key = self._unfinished[1]
        try:
            connected = await self._connected(requests.joining(name, key, invitation))
        except TransientError:
            raise
        except ChatError:
            self._unfinished = None
            raise
        self._unfinished = None
        return connected

    async def come_back(self) -> Connected:
        """Come back as the user whose token it is.

        :raises Unauthorized: if the server does not know the token.
        """
        return await self._connected(requests.COME_BACK)

    async def _connected(self, request: requests.Request) -> Connected:
        connected = await self._attempts.until_done(Connected, request)
        if connected.token is not UNSET:
            if _TOKEN.fullmatch(connected.token) is None:
                raise UnexpectedResponse("The server gave a token that can't be sent.")
            self._attempts.token = connected.token
        return connected
