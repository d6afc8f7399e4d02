"""The tokens that were looked up lately."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from chatter.protocol.model import User

_MOST = 20_000


class KnownToken(NamedTuple):
    """A token, and what was found.

    :ivar until: to be looked up again when the clock shows this.
    """

    token_id: int
    user: User
    until: float


class KnownTokens:
    """Some tokens in memory; those that were learned first are forgotten first."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, KnownToken] = OrderedDict()
        self._of_user: defaultdict[int, set[bytes]] = defaultdict(set)

    def get(self, token: str) -> KnownToken | None:
        """What is known of a token."""
        return self._known.get(_digest(token))

    def learn(self, token: str, known: KnownToken) -> None:
        """Remember a token."""
        digest = _digest(token)
        self._known[digest] = known
        self._of_user[known.user.id].add(digest)
        if len(self._known) > _MOST:
            oldest, forgotten = self._known.popitem(last=False)
            of_user = self._of_user[forgotten.user.id]
            of_user.discard(oldest)
            if not of_user:
                del self._of_user[forgotten.user.id]

    def forget(self, user_id: int) -> None:
        """Forget the tokens of a user."""
        for digest in self._of_user.pop(user_id, ()):
            del self._known[digest]

    def clear(self) -> None:
        """Forget all of them."""
        self._known.clear()
        self._of_user.clear()


def _digest(token: str) -> bytes:
    """What a token is known as in memory, where another hash than the store's will do.

    OpenSSL's takes longer to set up than all else that a known token needs.
    """
    return blake2b(token.encode()).digest()
