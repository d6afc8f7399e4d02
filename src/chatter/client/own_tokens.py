"""The methods of a client for what its user has: tokens, one for each device, and data."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING

from chatter.client import requests
from chatter.client.session import Session
from chatter.protocol.bodies import Done, NewToken, TokenInfo, TokenList
from chatter.protocol.deferring import returns_deferred
from chatter.protocol.errors import Unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable


class OwnTokens(Session):
    """A client that makes, lists and revokes tokens, exports the user's data, and leaves."""

    @returns_deferred
    async def make_token(self, label: str = "") -> NewToken:
        """Make one more token of the user, such as for another device.

        :param label: what the user calls it: at most 64 characters, on one line.
        :raises InvalidRequest: if the label is not valid.
        :raises TooManyTokens: if the user has as many as are allowed.
        """
        # The token will be made from it: it comes from no generator that may be seeded.
        return await self._attempts.until_done(NewToken, requests.new_token(label, token_hex(16)))

    @returns_deferred
    async def tokens(self) -> list[TokenInfo]:
        """The tokens of the user, by id, without the secrets."""
        return (await self._attempts.until_done(TokenList, requests.TOKENS)).tokens

    @returns_deferred
    async def revoke_token(self, token_id: int) -> None:
        """Revoke a token of the user: nobody can use it any more, and what is open with it ends.

        :raises UnknownToken: if the user has no such token, or not any more: where a response
            was lost, an attempt before may have revoked it.
        """
        await self._attempts.until_done(Done, requests.revocation(token_id))

    @returns_deferred
    async def disconnect(self) -> None:
        """Revoke the token of this client, and forget it.

        If the server can't be reached, the token stays: it may be good still.

        :raises Unauthorized: if no user has it; it is forgotten, too.
        """
        try:
            await self._attempts.until_done(Done, requests.DISCONNECT)
        except Unauthorized:
            self.token = None
            raise
        self.token = None

    @returns_deferred
    async def export(self, collector: Callable[[bytes], None]) -> None:
        """Give what the chat has of the user to a collector, as lines of JSON, as they come.

        It fires when all has come.  If it fails, what the collector has may be a part of it.

        :param collector: called with some bytes at a time, such as the ``write`` of a file.
            What it raises ends the export, and is raised here.
        :raises TooManyRequests: if another export of the user is under way all the time.
        :raises ServerUnreachable: also if the export has ended before it was whole.
        """
        await self._attempts.download(requests.EXPORT, collector)

    @returns_deferred
    async def erase(self, name: str) -> None:
        """Leave for good: the user's messages are withdrawn, and nobody has the name again.

        :param name: the user's own name, so that nobody leaves by mistake.
        :raises InvalidRequest: if it is not the user's name.
        :raises Unauthorized: if no user has the token: where a response was lost, an attempt
            before may have done it.
        """
        await self._attempts.until_done(Done, requests.erasure(name))
        self.token = None
