"""What a chat has of one user, a part at a time: the export is a cursor into the log, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import json

from chatter.chat.turns import Turns
from chatter.protocol.errors import TooManyRequests

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from chatter.chat.users.directory import Directory
    from chatter.chat.users.tokens import Tokens
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import Message, User

STRETCH = 500
"""So many entries of the log are looked at in one read."""

_READERS = 2
"""So many exports read at the same time; the others wait for their turn."""

_AGAIN = 30

_encode = json.Encoder().encode


class Exporting:
    """Exports what users have."""

    def __init__(self, store: IChatStore, directory: Directory, tokens: Tokens) -> None:
        self._store = store
        self._directory = directory
        self._tokens = tokens
        self._turns = Turns(_READERS)
        self._under_way: set[int] = set()

    def check(self, user: User) -> None:
        """See that a user has no export under way.

        :raises TooManyRequests: if the user has one.
        """
        if user.id in self._under_way:
            raise TooManyRequests("Another export of the user is under way.", _AGAIN)

    async def lines(
        self, user: User, shown: Callable[[Message], Message] = lambda message: message
    ) -> AsyncGenerator[bytes, None]:
        """Some lines of JSON at a time: the user, the tokens, and the messages from and to them.

        Each line is an object with one member, which says what it is.

        :param shown: what is exported of a message; all of it, if it is not given.

        :raises TooManyRequests: if another export of the user is under way.
        :raises StoreUnavailable: if the store can't serve.
        """
        self.check(user)
        self._under_way.add(user.id)
        try:
            participant = self._directory.participant(user)
            tokens = await self._tokens.of_user(user)
            end = await self._store.last_id()
            yield _lines("user", [participant]) + _lines("token", tokens)
            for after in range(self._store.kept_after, end, STRETCH):
                until = min(after + STRETCH, end)
                async with self._turns:
                    own = await self._store.erasure.read_own(user.id, after, until)
                yield _lines("message", list(map(shown, own)))
        finally:
            self._under_way.discard(user.id)


def _lines(kind: str, values: Sequence[object]) -> bytes:
    return b"".join([_encode({kind: value}) + b"\n" for value in values])
