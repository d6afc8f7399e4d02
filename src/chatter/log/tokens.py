"""What a store promises of the tokens of its users.

A store keeps no token, only its SHA-256.  Whoever has a token is the user, until it is revoked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

from chatter.protocol.scalars import MAX_ID

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection
    from datetime import datetime

    from chatter.protocol.model import Token, User


class ITokens(Interface):
    """The tokens of the users of a store; a user may have several."""

    revoked: Callable[[int], None] | None = Attribute(
        """Called with the id of a user whose tokens were revoked, at this server or at another
        one; before ``revoke`` fires.  It may be called once more than needed, and also after the
        store was away.  In the reactor thread.  It raises nothing."""
    )

    def find(token_hash: bytes) -> Awaitable[tuple[Token, User] | None]:
        """The token with that SHA-256, and its user.

        :raises StoreUnavailable: if the store can't serve.
        """

    def add(
        user_id: int, token_hash: bytes, label: str, now: datetime, most: int = MAX_ID
    ) -> Awaitable[Token]:
        """Give a user one more token; fires with it once that is durable.

        No id is given twice, also if the newest one was revoked.

        :param most: the user has at most so many then.
        :raises KeyUsed: if somebody has that token, be it the same user.
        :raises TooManyTokens: if the user has as many as are allowed.
        :raises UnknownRecipient: if there is no such user, or the user has left for good.
        :raises StoreUnavailable: if the store can't serve.
        """

    def of_user(user_id: int) -> Awaitable[list[Token]]:
        """The tokens of a user, by id.

        :raises StoreUnavailable: if the store can't serve.
        """

    def revoke(user_id: int, token_id: int | None) -> Awaitable[bool]:
        """Take a token from a user, or all of them; fires once that is durable.

        :param token_id: ``None`` for all.
        :returns: whether the user had it, or any.
        :raises StoreUnavailable: if the store can't serve.
        """

    def save_uses(uses: Collection[tuple[int, datetime]]) -> Awaitable[None]:
        """Note when tokens were used last, by id; it never goes back.

        :raises StoreUnavailable: if the store can't serve.
        """
