"""The chat as an application uses it: joining, sending, reading, following.

Its methods return Deferreds: work begins with the call, and the result can be awaited
or given to callbacks.
"""

from __future__ import annotations

from random import SystemRandom
from typing import TYPE_CHECKING, Any

from chatter.chat.arguments import check
from chatter.chat.chat_moderation import Moderation
from chatter.chat.core import ChatCore
from chatter.chat.messages.retention import Retention
from chatter.chat.typed_service import TypedService
from chatter.chat.users.tokens import checked_lifetime
from chatter.protocol.deferring import returns_deferred, when_done
from chatter.protocol.queries import DEFAULT_CHATS, DEFAULT_LIMIT, MAX_LIMIT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
    from datetime import timedelta
    from random import Random

    from chatter.chat.rates import Rate
    from chatter.protocol.bodies import Users
    from chatter.protocol.model import Change, ChatPage, Gap, Message, Page, Token, User
    from chatter.protocol.scalars import JoinPolicy

DEFAULT_HISTORY = 20
"""So many messages of the general chat are unread for a new user."""


class Chat(TypedService):
    """A general chat and the private chats of its participants.

    It is a service: while it runs, its store is open.

    :param store: an ``IChatStore`` of its own, which the chat starts and stops.
    :param clock: an ``IReactorTime`` provider.
    :param history: how many messages of the general chat are unread for a new user.
    :param random: where tokens and the names of guests come from.
    :param joining: who can ``connect`` as a new user: everybody (``open``), whoever has an
        invitation (``invited``), or nobody (``closed``).
    :param token_lifetime: a token that was not used for so many seconds ends; ``None`` for never.
    :param keep: for so long messages are kept, an hour at least; ``None`` for ever.
    :param keep_messages: so many of the newest messages are kept, and up to a sixteenth
        more; none goes within an hour.  ``None`` for all.
    :param reports: when reports mute a user: a :class:`chatter.Rate`, such as
        ``Rate(3, 14400)``, mutes for 14,400 seconds whom 3 users have reported within as many
        seconds.  ``None``: they mute nobody.

    ``store`` and ``clock`` are of any type: only a plugin tells type checkers which
    classes provide an interface.

    Every Deferred may fail with :class:`chatter.protocol.errors.StoreUnavailable`: when the
    store can't serve, and before it is open and after it was closed; with
    :class:`chatter.protocol.errors.InvalidRequest` if an argument is not valid, such as an id
    below 1 or a limit above 1000; and with :class:`chatter.protocol.errors.Unauthorized` or
    :class:`chatter.protocol.errors.Banned` if a user that it is given is not one of this chat, or
    is banned.

    :ivar moderation: what decides what users may do: roles, mutes, bans.

    :raises ValueError: if ``history`` is not between 0 and 1000, or the lifetime, ``keep``
        or ``keep_messages`` is out of range.
    """

    def __init__(
        self,
        store: Any,
        clock: Any,
        *,
        history: int = DEFAULT_HISTORY,
        random: Random | None = None,
        token_lifetime: float | None = None,
        joining: JoinPolicy = "open",
        keep: timedelta | None = None,
        keep_messages: int | None = None,
        reports: Rate | None = None,
    ) -> None:
        if not 0 <= history <= MAX_LIMIT:
            raise ValueError(f"history is a number from 0 to {MAX_LIMIT}, not {history}.")
        if token_lifetime is not None:
            checked_lifetime(token_lifetime)
        self._core = ChatCore(
            store, clock, history, random or SystemRandom(), token_lifetime, joining, reports
        )
        self.moderation = Moderation(self._core)
        self._retention = Retention(store, clock, self._core.presence.now, keep, keep_messages)

    # As a service

    @returns_deferred
    async def startService(self) -> None:
        """Open the store; fires once the chat can be used.

        :raises StoreUnavailable: if the store can't be opened.
        :raises RuntimeError: if the chat runs already.
        """
        if self.running:
            raise RuntimeError("The chat runs already.")
        super().startService()
        self._core.live.start()
        self._core.directory.forget()
        self._core.standings.forget()
        self._core.tokens.start()
        try:
            await when_done(self._core.store.startService())
        except BaseException:
            self.running = False
            raise
        self._retention.start()
        self._core.erasing.resume()

    @returns_deferred
    async def stopService(self) -> None:
        """End whatever follows or waits, and close the store; fires once it is closed."""
        super().stopService()
        self._core.live.stop()
        await self._core.erasing.stop()
        await self._core.tokens.stop()
        await self._retention.stop()
        await when_done(self._core.store.stopService())

    # Users

    @returns_deferred
    async def connect(
        self, name: str | None = None, key: str | None = None, invitation: str | None = None
    ) -> tuple[User, str]:
        """Join as a new user, with the name or with one that the chat chooses.

        :param key: 22 to 64 visible ASCII characters, made at random and kept secret; a
            retry with the same key fires with the same user and token, for ten minutes.
        :param invitation: with which somebody joins a chat whose ``joining`` is ``invited``.
        :returns: the user, and the token that proves who it is from now on.
        :raises JoiningClosed: if nobody can join.
        :raises InvitationNeeded: if there is no such invitation, and one is needed.
        :raises InvitationExpired: if it has expired.
        :raises InvitationUsed: if as many have joined with it as may.
        :raises InvalidRequest: if no user can have that name, or the key can't be used.
        :raises NameTaken: if somebody has the name.
        :raises KeyUsed: if the key was used for another name, or too long ago.
        """
        return await self._core.joining.connect(name, key, invitation)

    @returns_deferred
    async def invite(self, uses: int = 1, lifetime: float | None = None) -> str:
        """Make an invitation to join, with which so many can.

        :param lifetime: for so many seconds; ``None`` for ever.
        :returns: the invitation, which is kept nowhere.
        """
        check(uses=uses)
        if lifetime is not None:
            check(lifetime=lifetime)
        return await self._core.joining.invite(uses, lifetime)

    @returns_deferred
    async def join(self, name: str) -> User:
        """The user with that name, who joins now if nobody has it.

        For applications with accounts of their own, which vouch for their users;
        such a user has no token.

        :raises InvalidRequest: if no user can have that name.
        :raises NameTaken: if a user with that name has left for good.
        """
        return await self._core.joining.join(name)

    @returns_deferred
    async def authenticate(self, token: str) -> User:
        """The user whose token it is.

        :raises Unauthorized: if no user has that token.
        """
        return await self._core.tokens.user_of(token)

    @returns_deferred
    async def make_token(self, user: User, label: str = "") -> tuple[Token, str]:
        """Give a user one more token, such as for another device, or for one that was lost.

        :param label: what the user calls it: at most 64 characters.
        :returns: it, and the token itself, which proves who the user is.
        :raises TooManyTokens: if the user has as many as are allowed.
        """
        check(label=label)
        await self._core.directory.check(user)
        return await self._core.tokens.make(user, label)

    @returns_deferred
    async def tokens(self, user: User) -> list[Token]:
        """The tokens of a user, by id."""
        await self._core.directory.check(user)
        return await self._core.tokens.of_user(user)

    @returns_deferred
    async def revoke_token(self, user: User, token_id: int) -> None:
        """Take a token from a user; fires once nobody can use it, and what was open is ended.

        :raises UnknownToken: if it is none of the user.
        """
        check(token_id=token_id)
        await self._core.directory.check(user)
        await self._core.tokens.revoke(user, token_id)

    @returns_deferred
    async def revoke_tokens(self, user: User) -> None:
        """Take all tokens from a user; fires once what was open is ended."""
        await self._core.directory.check(user)
        await self._core.tokens.revoke_all(user)

    @returns_deferred
    async def erase(self, user: User) -> None:
        """Have a user leave for good; fires once all messages of the user were withdrawn.

        The user's tokens are revoked, and what is open ends.  Nobody can have the name again.
        """
        await self._core.directory.check(user)
        await self._core.erasing.erase(user)

    async def export(self, user: User) -> AsyncGenerator[bytes, None]:
        """What the chat has of a user, as lines of JSON, some at a time.

        They are the user, the standing, the tokens without the secrets, the cursor, the read marks,
        the reports that the user has made, the messages from the user and the private ones to
        the user.

        :raises TooManyRequests: if another export of the user is under way.
        """
        await self._core.directory.check(user)
        async for some in self._core.exporting.lines(user):
            yield some

    @returns_deferred
    async def user(self, user_id: int) -> User:
        """The user with that id.

        :raises UnknownRecipient: if there is none.
        """
        check(user_id=user_id)
        return await self._core.directory.by_id(user_id)

    @returns_deferred
    async def users(self, after: int = 0, limit: int = DEFAULT_LIMIT) -> Users:
        """The participants with a larger id, by id."""
        check(after=after, limit=limit)
        return await self._core.directory.list(after, limit)

    @returns_deferred
    async def users_by_id(self, user_ids: Collection[int]) -> Users:
        """The participants with those ids, by id; unknown ids are left out."""
        for user_id in user_ids:
            check(user_id=user_id)
        return await self._core.directory.list_by_id(user_ids)

    @returns_deferred
    async def users_by_prefix(self, prefix: str, limit: int = DEFAULT_LIMIT) -> Users:
        """The participants whose name begins with a prefix, whatever its case, by name."""
        check(limit=limit)
        return await self._core.directory.list_by_prefix(prefix, limit)

    @returns_deferred
    async def online_users(self, after: int = 0, limit: int = DEFAULT_LIMIT) -> Users:
        """The participants with a larger id who are online, by id."""
        check(after=after, limit=limit)
        return await self._core.directory.list_online(after, limit)

    # Sending

    @returns_deferred
    async def send(self, user: User, text: str, key: str | None = None) -> Message:
        """Send to the general chat; fires with the message once it is durable.

        :param key: a retry with the same key sends nothing, and fires with the message
            that was sent first.
        :raises Muted: if the user may not send now.
        :raises InvalidRequest: if the text or the key is not valid.
        """
        await self._core.check(user)
        return await self._core.sending.send(user, text, key)

    @returns_deferred
    async def send_private(
        self, user: User, recipient_id: int, text: str, key: str | None = None
    ) -> Message:
        """Send to one user; nobody but the two will ever see it.

        :param key: as for :meth:`send`.
        :raises Muted: if the user may not send now.
        :raises InvalidRequest: if the text or the key is not valid.
        :raises UnknownRecipient: if nobody has that id, or the user has left for good.
        """
        check(recipient_id=recipient_id)
        await self._core.check(user)
        return await self._core.sending.send_private(user, recipient_id, text, key)

    # Changing

    @returns_deferred
    async def edit(self, user: User, message_id: int, text: str) -> Message:
        """Give a message of the user another text; fires with it once that is durable.

        A text that the message has already changes nothing.

        :raises Muted: if the user may not edit now.
        :raises InvalidRequest: if the text is not valid.
        :raises Gone: if there is no such message of the user, or it was withdrawn.
        """
        check(message_id=message_id)
        await self._core.check(user)
        return await self._core.changing.edit(user, message_id, text)

    @returns_deferred
    async def withdraw(self, user: User, message_id: int) -> int:
        """Withdraw a message of the user: nobody can read it any more.

        A moderator may withdraw any message of the general chat, and private ones that were
        reported.

        :returns: the id of the change that says so, once that is durable.
        :raises Gone: if there is no such message of the user, or it was withdrawn already.
        """
        check(message_id=message_id)
        await self._core.check(user)
        return await self._core.changing.withdraw(user, message_id)

    # Reading

    @returns_deferred
    async def poll(
        self,
        user: User,
        limit: int = DEFAULT_LIMIT,
        after: int | None = None,
        wait: float = 0,
        epoch: str | None = None,
        *,
        changes: bool = False,
    ) -> Page:
        """What the user has not read, oldest first.

        Nothing moves until the page is acknowledged.

        :param after: read after this id instead of the user's cursor.  It also
            acknowledges all up to it.
        :param wait: if there is nothing, wait so many seconds for something.
        :param epoch: the epoch of the page that had ``after`` as its cursor, or ``""`` if
            none is known.  The page then has an epoch; and it begins earlier than after
            ``after``, and says so, if the log is another one than that was read.
        :param changes: whether the page has changes of messages, too; they count for the
            limit.
        """
        check(limit=limit, after=after, wait=wait)
        await self._core.check(user)
        return await self._core.reading.poll(user, limit, after, wait, epoch, changes=changes)

    @returns_deferred
    async def peek(
        self,
        user: User,
        limit: int = DEFAULT_LIMIT,
        after: int | None = None,
        wait: float = 0,
        epoch: str | None = None,
        *,
        changes: bool = False,
    ) -> Page:
        """What :meth:`poll` fires with; it acknowledges nothing, also not up to ``after``."""
        check(limit=limit, after=after, wait=wait)
        await self._core.check(user)
        return await self._core.reading.peek(user, limit, after, wait, epoch, changes=changes)

    @returns_deferred
    async def acknowledge(self, user: User, cursor: int) -> None:
        """Note that the user has read a page, up to its cursor; it never goes back.

        Nobody can have read what is not yet there: at most all that is.
        """
        check(cursor=cursor)
        await self._core.check(user)
        self._core.reading.acknowledge(user, cursor)

    @returns_deferred
    async def cursor(self, user: User) -> int:
        """Up to where the user has read."""
        await self._core.check(user)
        return await self._core.reading.cursor(user)

    def follow(self, user: User, after: int | None = None) -> AsyncIterator[Message]:
        """Every message of the user's feed, and then each as it is committed, in id order.

        A message counts as read when the next one is requested.

        :param after: begin after this id, instead of at the user's cursor.
        :raises InvalidRequest: if ``after`` is no id.
        :raises StoreUnavailable: when the chat stops, too.
        """
        check(after=after)
        return self._core.following.follow(user, after)

    def follow_entries(
        self, user: User, after: int | None = None
    ) -> AsyncIterator[Message | Change | Gap]:
        """What :meth:`follow` has, and each change of a message, in id order.

        A message is as it is when it comes; who has kept it applies the changes that come
        later.  Where entries are no longer kept that were not read, a gap comes instead.
        """
        check(after=after)
        return self._core.following.follow_entries(user, after)

    @returns_deferred
    async def general_history(self, user: User, limit: int, before: int | None = None) -> Page:
        """The newest messages of the general chat, or those before an id."""
        check(limit=limit, before=before)
        await self._core.check(user)
        return await self._core.reading.general_history(user, limit, before)

    @returns_deferred
    async def private_history(
        self, user: User, other_id: int, limit: int, before: int | None = None
    ) -> Page:
        """The newest messages between two users, or those before an id.

        :raises UnknownRecipient: if nobody has the other id.
        """
        check(other_id=other_id, limit=limit, before=before)
        await self._core.check(user)
        return await self._core.reading.private_history(user, other_id, limit, before)

    @returns_deferred
    async def chats(
        self, user: User, before: int | None = None, limit: int = DEFAULT_CHATS
    ) -> ChatPage:
        """The general chat and a user's newest private chats, or older private ones.

        :param before: only private chats whose last message has a smaller id.
        :param limit: at most so many private chats.
        """
        check(before=before, limit_of_chats=limit)
        await self._core.check(user)
        return await self._core.chat_list.page(user, before, limit)

    @returns_deferred
    async def mark_read(self, user: User, other_id: int | None, message_id: int) -> None:
        """Note that a user has read one chat up to an id; fires once that is stored.

        :param other_id: the other user of a private chat; ``None`` for the general chat.
        :raises UnknownRecipient: if nobody has that id.
        """
        check(message_id=message_id)
        if other_id is not None:
            check(other_id=other_id)
        await self._core.check(user)
        await self._core.chat_list.mark_read(user, other_id, message_id)

    # Listening

    def add_listener(self, listener: Callable[[Message], object]) -> None:
        """Have something called with each message once it is committed, in id order.

        It gets private messages, too: it is part of the application, not a user.  It
        also gets what it sends itself: a listener that replies to messages must not reply to
        its own.  It may return a Deferred or an awaitable, which is awaited apart; what it
        raises is logged and ends there.
        """
        self._core.live.add_listener(listener)

    def remove_listener(self, listener: Callable[[Message], object]) -> None:
        """Have it called no more.

        :raises ValueError: if it was not added.
        """
        self._core.live.remove_listener(listener)

    def add_change_listener(self, listener: Callable[[Change], object]) -> None:
        """Have something called with each change of a message or of a user's standing.

        Changes come in id order with the messages, those of private messages included.  For
        the rest it is as for :meth:`add_listener`.
        """
        self._core.live.add_change_listener(listener)

    def remove_change_listener(self, listener: Callable[[Change], object]) -> None:
        """Have it called no more.

        :raises ValueError: if it was not added.
        """
        self._core.live.remove_change_listener(listener)


def core_of(chat: Chat) -> ChatCore:
    """The parts of a chat: for the doors that serve it, not for applications."""
    return chat._core  # noqa: SLF001 - it is this file's own
