"""What a store promises of users who leave for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Interface

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from datetime import datetime

    from chatter.log.entries import UserErased
    from chatter.protocol.model import Message, ReadMark


class IErasure(Interface):
    """What a user has: read for an export, and taken when the user leaves.

    Messages are withdrawn one by one.
    """

    def begin(user_id: int, at: datetime) -> Awaitable[UserErased | None]:
        """Have a user erased; fires with the entry that says so once that is durable.

        The user keeps the id, and has the name :func:`chatter.protocol.names.erased` from now
        on.  Nobody can have the earlier name again, nor is it kept.  All tokens are gone.

        :returns: ``None`` if there is no such user, or it is erased already.
        :raises StoreUnavailable: if the store can't serve.
        """

    def under_way() -> Awaitable[list[int]]:
        """The users whose erasure has begun and is not finished.

        :raises StoreUnavailable: if the store can't serve.
        """

    def finish(user_id: int) -> Awaitable[None]:
        """Note that all messages of a user were withdrawn, and forget what it has read.

        :raises StoreUnavailable: if the store can't serve.
        """

    def read_own(user_id: int, after: int, until: int) -> Awaitable[list[Message]]:
        """The messages that a user has sent, and the private ones to the user, by id.

        It costs the length of the stretch, whatever is found in it.

        :param after: only those with a larger id; and at most ``until``.
        :raises StoreUnavailable: if the store can't serve.
        """

    def read_marks(user_id: int, after: int, limit: int) -> Awaitable[list[ReadMark]]:
        """At most ``limit`` read marks of a user, by the id of the other user of the chat.

        The general chat has the id 0 here.

        :param after: only those of chats with a larger id.
        :raises StoreUnavailable: if the store can't serve.
        """
