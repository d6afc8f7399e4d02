"""What a store must promise, and how one is found by its scheme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.application.service import IService
from twisted.plugin import IPlugin
from zope.interface import Attribute

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection
    from datetime import datetime

    from chatter.log.entries import ChangeDraft, Entry, Sent
    from chatter.log.erasure import IErasure
    from chatter.log.invitations import IInvitations
    from chatter.log.lineage import Lineage
    from chatter.log.tokens import ITokens
    from chatter.protocol.model import ChatSummary, Draft, Message, User


class IChatStore(IService):
    """A durable log of messages and their changes, its users and their cursors.

    It is a service: ``startService`` opens it and returns a Deferred that fires
    once it can be used; ``stopService`` finishes what is under way, saves what
    is not yet saved, closes everything and returns a Deferred.  A store that
    can't be opened fails with :class:`chatter.protocol.errors.StoreUnavailable`, whose
    detail is one line for the operator.

    No method raises anything but what it says, if it is called as its types say.  A call
    with something else (an id that no integer column holds) may raise anything, and fails
    alone.  :class:`chatter.protocol.errors.StoreUnavailable` means: nothing was stored, or,
    where that can't be known, a retry with the same key is safe.

    The promises that every implementation keeps, and
    :class:`chatter.testing.StoreContract` proves:

    - *Durable*: what ``append`` and ``add_user`` have fired with survives a ``kill -9``
      and a loss of power.
    - *In commit order*: nobody who has seen id *n* will ever find a new entry
      below *n*.  No id is used twice, also not after a restart, and not when the newest
      message was withdrawn.
    - *Once*: drafts of one sender with one key become one message, also after it was
      withdrawn.
    - *As it is*: a message is read as it is now; who has read it before finds a change
      after it.  A text that was replaced or withdrawn is not kept.
    - *Kept*: entries stay until :meth:`trim` ends that; then no read finds them, and
      who reads learns it from :attr:`kept_after`.
    - *Cheap*: reading costs the size of the result, not of the log.
    """

    listener: Callable[[list[Entry]], None] | None = Attribute(
        """Called with each committed entry once, in id order, in the reactor
        thread, those of other nodes included; before ``append`` or ``change`` fires.
        Each call has one entry or more.  It raises nothing.  An entry that another
        one has replaced meanwhile, or a message that was withdrawn, may be left out."""
    )

    rewound: Callable[[int], None] | None = Attribute(
        """Called when the end of the log was lost, with the last id that the listener
        has got and that is still in the log.  The listener gets what comes after that id next,
        with ids that it may have got before.  In the reactor thread, while the store is open.
        It raises nothing."""
    )

    moderation: Any = Attribute(
        """What the store knows of the standing of users: an
        :class:`chatter.log.moderation.IModerationStore`."""
    )

    kept_after: int = Attribute(
        """Entries up to this id are no longer kept; 0 if all are.

        When a read fires, it is at least what it was when the read was made: who reads
        after a smaller id may have missed entries, and compares the two after the read.
        It never goes back, unless the end of the log is lost."""
    )

    trimmed: Callable[[int], None] | None = Attribute(
        """Called with :attr:`kept_after` when that has grown, by this store or by another
        node.  In the reactor thread, while the store is open.  It raises nothing."""
    )

    lineage: Lineage = Attribute(
        """The epochs of the log.  The store begins a new epoch whenever the log may have
        become another one, at least each time it is opened; it is another object then."""
    )

    tokens: ITokens = Attribute("The tokens of the users.")

    erasure: IErasure = Attribute("Users who leave for good.")

    invitations: IInvitations = Attribute("The invitations to join.")

    def last_id() -> Awaitable[int]:
        """The id of the newest entry that the listener has got; 0 before the first.

        What this process is just appending may count already.

        :raises StoreUnavailable: if the store can't serve.
        """

    def append(draft: Draft) -> Awaitable[Message]:
        """Append a message; fires with it once it is durable.

        A draft whose sender and key are those of an earlier one appends nothing, and
        fires with the first message again.  Sender and recipient must exist.

        A store to which other processes append looks whether a
        :class:`chatter.log.limited_drafts.LimitedDraft` is within its limit; for
        others it is a draft like any other, since what they append is counted already.

        :raises Gone: if the first message of the key was withdrawn.
        :raises LimitReached: if it is beyond its limit.
        :raises StoreUnavailable: if the store can't serve.
        """

    def change(draft: ChangeDraft) -> Awaitable[tuple[int | None, Message]]:
        """Edit or withdraw a message; fires once that is durable.

        It fires with the id of the change and the message as it is now, or was.  A text
        that the message has already changes nothing, and there is no id then.

        :raises Gone: if there is no such message, or none any more.
        :raises StoreUnavailable: if the store can't serve.
        """

    def trim(until: int) -> Awaitable[None]:
        """Keep only the entries after an id, from now on; fires once that is durable.

        What is no longer kept is deleted from the disk little by little, so that nobody
        waits for it.  A key holds until its message is deleted.  No id is given again.

        :param until: at most the id of the newest entry.  A smaller one than
            :attr:`kept_after` changes nothing.
        :raises StoreUnavailable: if the store can't serve.
        """

    def count_messages(after: int, until: int) -> Awaitable[tuple[int, int]]:
        """How many messages have ids after the first and up to the second one.

        It fires with those of the general chat and the private ones.  It costs the size of
        that stretch.

        :raises StoreUnavailable: if the store can't serve.
        """

    def old_entries(
        after: int, until: int, before: datetime, limit: int
    ) -> Awaitable[tuple[int, int]]:
        """How many entries of a stretch come before the first one that is not old.

        At most ``limit`` are looked at.  It fires with their number and the id of the last
        one; without any, with 0 and ``after``.

        :param after: the stretch begins after this id.
        :param until: the last id of the stretch.
        :param before: an entry is old that was made before this time.
        :raises StoreUnavailable: if the store can't serve.
        """

    def read_message(message_id: int) -> Awaitable[Message | None]:
        """The message with that id, without a check of who may see it.

        :raises StoreUnavailable: if the store can't serve.
        """

    def read_sent(sender_id: int, key: str) -> Awaitable[Message | None]:
        """The message that a user has sent with a key; ``None`` if there is none.

        :raises Gone: if it was withdrawn.
        :raises StoreUnavailable: if the store can't serve.
        """

    def read_feed(user_id: int, after: int, limit: int) -> Awaitable[list[Entry]]:
        """What a user may see after an id, messages and changes: at most ``limit``, oldest first.

        :raises StoreUnavailable: if the store can't serve.
        """

    def read_general(before: int | None, limit: int) -> Awaitable[list[Message]]:
        """The newest ``limit`` messages of the general chat (below ``before``), oldest first.

        :raises StoreUnavailable: if the store can't serve.
        """

    def read_general_senders(before: int | None, limit: int) -> Awaitable[list[Sent]]:
        """Who has sent the newest ``limit`` messages of the general chat (below ``before``).

        Oldest first.  A message that was withdrawn stands where its change is, while that and
        the message would still be kept.

        :raises StoreUnavailable: if the store can't serve.
        """

    def read_private(
        user_id: int, other_id: int, before: int | None, limit: int
    ) -> Awaitable[list[Message]]:
        """The newest ``limit`` messages between two users (below ``before``), oldest first.

        :raises StoreUnavailable: if the store can't serve.
        """

    def chats(
        user_id: int, cursor: int, before: int | None, limit: int
    ) -> Awaitable[list[ChatSummary]]:
        """The chats of a user: those with a private message, newest message first.

        Without ``before`` the general chat comes before them, and does not count.

        :param cursor: how far the user has read the feed; a chat is read up to there, or
            up to its own read mark if that is larger.
        :param before: only private chats whose last message has a smaller id.
        :param limit: at most so many private chats.
        :raises StoreUnavailable: if the store can't serve.
        """

    def mark_read(user_id: int, other_id: int | None, message_id: int) -> Awaitable[None]:
        """Move the read mark of one chat on, never back; fires once that is stored.

        :param other_id: the other user of a private chat; ``None`` for the general chat.
            Where there is no private message between the two, nothing is marked.
            A crash of the machine may forget the last marks, as it may cursors.
        :raises StoreUnavailable: if the store can't serve.
        """

    def add_user(
        name: str, token_hash: bytes | None, cursor: int, now: datetime
    ) -> Awaitable[User]:
        """Add a user with a name and a token that nobody has, whatever the name's case.

        :param token_hash: the SHA-256 of the token that proves who the user is;
            ``None`` for a user whom only the application knows.
        :raises NameTaken: if :func:`chatter.protocol.names.fold` finds the name taken, or
            somebody has the token.
        :raises StoreUnavailable: if the store can't serve.
        """

    def count_users() -> Awaitable[int]:
        """How many users there are, without those who have left for good.

        It may cost the number of users.

        :raises StoreUnavailable: if the store can't serve.
        """

    def user_by_id(user_id: int) -> Awaitable[User | None]:
        """The user with that id.

        :raises StoreUnavailable: if the store can't serve.
        """

    def user_by_name(name: str) -> Awaitable[User | None]:
        """The user with that name, whatever its case.

        :raises StoreUnavailable: if the store can't serve.
        """

    def users(after: int, limit: int) -> Awaitable[list[User]]:
        """At most ``limit`` users with a larger id than ``after``, by id.

        :raises StoreUnavailable: if the store can't serve.
        """

    def users_by_id(user_ids: Collection[int]) -> Awaitable[list[User]]:
        """The users with those ids, by id; unknown ids are left out.

        :raises StoreUnavailable: if the store can't serve.
        """

    def users_by_prefix(prefix: str, limit: int) -> Awaitable[list[User]]:
        """At most ``limit`` users whose name begins with a prefix, by name.

        Both are compared as :func:`chatter.protocol.names.fold` folds them.

        :raises StoreUnavailable: if the store can't serve.
        """

    def users_seen(since: datetime, after: int, limit: int) -> Awaitable[list[User]]:
        """At most ``limit`` users who were seen since then, with a larger id than ``after``.

        They come by id.  It goes by what is saved, which may lag.

        :raises StoreUnavailable: if the store can't serve.
        """

    def cursor(user_id: int) -> Awaitable[int]:
        """Up to where a user has read, also if that is not yet saved; 0 for no user.

        :raises StoreUnavailable: if the store can't serve.
        """

    def save_progress(user_id: int, cursor: int, last_seen: datetime) -> None:
        """Move a user's cursor and last sign of life on, never back.

        It returns at once and is saved within a second or at ``stopService``.  A
        crash before that forgets it, so that messages are repeated, never skipped.  It
        raises nothing; what can't be a user or a cursor is ignored.
        """

    def check() -> Awaitable[None]:
        """See whether the store can serve: read, and write.

        It fires within about a second, whatever the store waits for.

        :raises StoreUnavailable: if it can't.
        """


class IChatStoreMaker(IPlugin):
    """A Twisted plugin that makes stores from strings like ``sqlite:chatter.sqlite``."""

    scheme: str = Attribute("What stands before the first colon, e.g. ``sqlite``.")

    example: str = Attribute("A whole string, for ``twistd chatter --help``.")

    def make_store(location: str, reactor: Any) -> IChatStore:
        """Make a store that is not yet open.

        :param location: the whole string that chose this store.
        :param reactor: the reactor that will run it.
        :raises ValueError: if the location makes no sense; its text says why.
        """

    def check_store(location: str) -> None:
        """See, without a reactor, whether the store could be opened now.

        ``twistd`` calls this before it daemonises, so that the operator sees errors at once.

        :raises StoreUnavailable: if not; its detail is one line for the operator.
        :raises ValueError: if the location makes no sense.
        """
