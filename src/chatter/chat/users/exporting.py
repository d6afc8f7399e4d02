"""What a chat has of one user, a part at a time: the export is a cursor into the log, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import json

from chatter.chat.turns import Turns
from chatter.protocol.errors import TooManyRequests
from chatter.protocol.response_size import how_many_fit

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from chatter.chat.users.directory import Directory
    from chatter.chat.users.tokens import Tokens
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import Message, ReadMark, Standing, User
    from chatter.protocol.moderation import OwnReport

STRETCH = 500
"""At most so many entries of the log are looked at in one read."""

PART_BYTES = 256 * 1024
"""At most about so many bytes of messages are held while the client does not read."""

_READERS = 2
"""So many exports read at the same time; the others wait for their turn."""

_AGAIN = 30

_encode = json.Encoder().encode


class Exporting:
    """Exports what users have.

    :param standing: what a user may do; ``None`` of those who are members like any other.
    """

    def __init__(
        self,
        store: IChatStore,
        directory: Directory,
        tokens: Tokens,
        standing: Callable[[int], Awaitable[Standing | None]],
    ) -> None:
        self._store = store
        self._standing = standing
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
        """Some lines of JSON at a time: all that the chat has of a user.

        They are the user, the standing, the tokens, the position in the feed, the read marks, the
        reports that the user has made, and the messages from and to the user.  Each line is an
        object with one member, which says what it is.

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
            standing = await self._standing(user.id)
            cursor = await self._store.cursor(user.id)
            yield (
                _lines("user", [participant])
                + _lines("standing", [] if standing is None else [standing])
                + _lines("token", tokens)
                + _lines("cursor", [cursor] if cursor else [])
            )
            async for marks in self._read_marks(user.id):
                yield _lines("read", marks)
            async for reports in self._reports(user.id):
                yield _lines("report", reports)
            after, stretch = self._store.kept_after, STRETCH
            while after < end:
                until = min(after + stretch, end)
                async with self._turns:
                    own = await self._store.erasure.read_own(user.id, after, until)
                stretch = min(2 * stretch, STRETCH)
                count = how_many_fit(own, most_bytes=PART_BYTES)
                if count < len(own):
                    # The others are read again, instead of being held.
                    del own[count:]
                    until = own[-1].id
                    stretch = until - after
                yield _lines("message", list(map(shown, own)))
                after = until
        finally:
            self._under_way.discard(user.id)

    async def _read_marks(self, user_id: int) -> AsyncGenerator[list[ReadMark], None]:
        after = -1
        while marks := await self._store.erasure.read_marks(user_id, after, STRETCH):
            yield marks
            after = marks[-1].recipient_id or 0

    async def _reports(self, user_id: int) -> AsyncGenerator[list[OwnReport], None]:
        after = 0
        moderation = self._store.moderation
        while reports := await moderation.reports_by(user_id, after, STRETCH):
            yield reports
            after = reports[-1].message_id


def _lines(kind: str, values: Sequence[object]) -> bytes:
    return b"".join([_encode({kind: value}) + b"\n" for value in values])
