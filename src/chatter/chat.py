"""The chat itself: joining, sending, polling; it knows neither HTTP nor SQL.

A poll is a question to the log: what is in this user's feed after this id?  The
answer changes nothing.  That it arrived is a second step, ``acknowledge``, which
moves the user's cursor; so an answer that is lost on the way is answered again.
"""

from __future__ import annotations

from hashlib import sha256
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from chatter import names
from chatter.checks import checked_key, checked_text
from chatter.errors import NameTaken, Unauthorized, UnknownRecipient
from chatter.feed import RecentLog
from chatter.model import Draft, Message, Page, User
from chatter.presence import Presence
from chatter.wire import DEFAULT_LIMIT, Participant, Users

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from twisted.internet.interfaces import IReactorTime

    from chatter.interfaces import IChatStore

DEFAULT_HISTORY = 20
"""So many messages of the general chat wait for somebody new."""

_REMEMBERED_USERS = 20_000


class Chat:
    """A general chat and the private chats of its participants.

    :param store: an ``IChatStore`` of its own.  Whoever makes the chat starts
        and stops the store; before and after, everything here raises
        :class:`~chatter.errors.StoreUnavailable`.
    :param clock: says what time it is.
    :param history: how many messages of the general chat wait for a new user.
    :param random: where tokens and the names of guests come from.

    Every method that is awaited may raise
    :class:`~chatter.errors.StoreUnavailable`.
    """

    _log = Logger()

    def __init__(
        self,
        store: IChatStore,
        clock: IReactorTime,
        *,
        history: int = DEFAULT_HISTORY,
        random: Random | None = None,
    ) -> None:
        if store.listener is not None:
            raise ValueError("The store belongs to another chat already.")
        store.listener = self._committed
        self.store = store
        self.history = history
        self._random = random or SystemRandom()
        self._presence = Presence(clock)
        self._recent: RecentLog | None = None
        self._users_by_token: LRUCache[bytes, User] = LRUCache(_REMEMBERED_USERS)
        self._users_by_id: LRUCache[int, User] = LRUCache(_REMEMBERED_USERS)
        self._listeners: list[Callable[[Message], object]] = []

    # Users

    async def connect(self, name: str | None = None) -> tuple[User, str]:
        """Join as a new user, with the name or with one that the chat gives.

        :returns: the user, and the token that proves who it is from now on.
        :raises InvalidRequest: if no user can have that name.
        :raises NameTaken: if somebody has it.
        """
        token = f"{self._random.getrandbits(256):064x}"
        token_hash = _hash_of(token)
        while True:
            try:
                user = await self._add_user(name or names.suggest(self._random), token_hash)
            except NameTaken:
                if name:
                    raise
            else:
                self._users_by_token[token_hash] = user
                return user, token

    async def join(self, name: str) -> User:
        """The user with that name, who joins now if nobody has it.

        For applications with accounts of their own, which vouch for their users;
        such a user has no token.

        :raises InvalidRequest: if no user can have that name.
        """
        user = await self.store.user_by_name(names.check(name))
        if user is not None:
            return user
        try:
            return await self._add_user(name, None)
        except NameTaken:  # by somebody who joined meanwhile
            return await self.join(name)

    async def _add_user(self, name: str, token_hash: bytes | None) -> User:
        names.check(name)
        newest = await self.store.read_general(None, self.history + 1)
        cursor = newest[0].id if len(newest) > self.history else 0
        return await self.store.add_user(name, token_hash, cursor, self._presence.now())

    async def authenticate(self, token: str) -> User:
        """The user whom a token proves.

        :raises Unauthorized: if nobody has it.
        """
        token_hash = _hash_of(token)
        user: User | None = self._users_by_token.get(token_hash)
        if user is None:
            user = await self.store.user_by_token(token_hash)
            if user is None:
                raise Unauthorized("Nobody has this token.")
            self._users_by_token[token_hash] = user
        return user

    async def user(self, user_id: int) -> User:
        """The user with that id.

        :raises UnknownRecipient: if there is none.
        """
        user: User | None = self._users_by_id.get(user_id)
        if user is None:
            user = await self.store.user_by_id(user_id)
            if user is None:
                raise UnknownRecipient(f"There is no user {user_id}.")
            self._users_by_id[user_id] = user
        return user

    async def users(self, after: int = 0, limit: int = DEFAULT_LIMIT) -> Users:
        """The participants with a larger id, by id."""
        found = await self.store.users(after, limit + 1)
        participants = []
        for user in found[:limit]:
            last_seen = self._presence.last_seen(user.id, user.last_seen)
            online = self._presence.is_online(last_seen)
            participants.append(Participant(user.id, user.name, online, last_seen))
        return Users(participants, len(found) > limit)

    # Sending

    async def send(self, user: User, text: str, key: str | None = None) -> Message:
        """Send to the general chat; answers once the message is durable.

        :param key: a retry with the same key sends nothing, and is answered with
            the message that was sent first.
        :raises InvalidRequest: if the text can't be sent or the key not be used.
        """
        return await self._append(user, None, text, key)

    async def send_private(
        self, user: User, recipient_id: int, text: str, key: str | None = None
    ) -> Message:
        """Send to one user; nobody but the two will ever see it.

        :param key: as for :meth:`send`.
        :raises InvalidRequest: if the text can't be sent or the key not be used.
        :raises UnknownRecipient: if nobody has that id.
        """
        recipient = await self.user(recipient_id)
        return await self._append(user, recipient.id, text, key)

    async def _append(
        self, user: User, recipient_id: int | None, text: str, key: str | None
    ) -> Message:
        checked_text(text)
        if key is not None:
            checked_key(key)
        now = self._presence.now()
        return await self.store.append(Draft(user.id, recipient_id, text, now, key))

    # Reading

    async def poll(self, user: User, limit: int = DEFAULT_LIMIT, after: int | None = None) -> Page:
        """What the user has not read, oldest first.

        Nothing moves until the page is acknowledged.

        :param after: what comes after this id, instead of after the user's cursor.
            It also acknowledges all up to it.
        """
        recent = await self._recent_log()
        cursor = await self.store.cursor(user.id)
        if after is not None:
            # Nobody can have read what is not yet there.
            read = min(after, recent.last_id)
            if read > cursor:
                self.acknowledge(user, read)
            cursor = after
        if cursor >= recent.complete_after:
            messages = recent.feed(user.id, cursor, limit + 1)
        else:
            messages = await self.store.read_feed(user.id, cursor, limit + 1)
        more = len(messages) > limit
        if more:
            messages = messages[:limit]
        return Page(messages, messages[-1].id if messages else cursor, more)

    def acknowledge(self, user: User, cursor: int) -> None:
        """Take note that the user has read a page, up to its cursor; it never goes back."""
        self.store.save_progress(user.id, cursor, self._presence.now())

    def see(self, user: User) -> None:
        """Take note that the user is there."""
        worth_saving = self._presence.see(user.id)
        if worth_saving is not None:
            self.store.save_progress(user.id, 0, worth_saving)

    async def general_history(self, user: User, limit: int, before: int | None = None) -> Page:
        """The newest messages of the general chat, or of it before an id."""
        found = await self.store.read_general(before, limit + 1)
        return await self._look(user, found, limit)

    async def private_history(
        self, user: User, other_id: int, limit: int, before: int | None = None
    ) -> Page:
        """The newest messages between two users, or before an id.

        :raises UnknownRecipient: if nobody has the other id.
        """
        other = await self.user(other_id)
        found = await self.store.read_private(user.id, other.id, before, limit + 1)
        return await self._look(user, found, limit)

    async def _look(self, user: User, found: list[Message], limit: int) -> Page:
        more = len(found) > limit
        cursor = await self.store.cursor(user.id)
        return Page(found[1:] if more else found, cursor, more)

    async def cursor(self, user: User) -> int:
        """Up to where the user has read."""
        return await self.store.cursor(user.id)

    # Following

    def add_listener(self, listener: Callable[[Message], object]) -> None:
        """Have something called with each message once it is committed, in id order.

        It hears private messages too: it is part of the application, not a user.
        What it awaits is awaited apart; what it raises is logged and ends there.
        """
        self._listeners.append(listener)

    def remove_listener(self, listener: Callable[[Message], object]) -> None:
        """Have it called no more."""
        self._listeners.remove(listener)

    async def _recent_log(self) -> RecentLog:
        if self._recent is None:
            newest = await self.store.last_id()
            # A message that was committed meanwhile has made it already.
            if self._recent is None:
                self._recent = RecentLog(newest)
        return self._recent

    def _committed(self, messages: list[Message]) -> None:
        if self._recent is None:
            self._recent = RecentLog(messages[0].id - 1)
        self._recent.extend(messages)
        for listener in tuple(self._listeners):
            for message in messages:
                self._tell(listener, message)

    def _tell(self, listener: Callable[[Message], object], message: Message) -> None:
        told = Deferred.fromCoroutine(_call(listener, message))
        told.addErrback(
            lambda failure: self._log.failure("A listener of the chat failed.", failure)
        )


async def _call(listener: Callable[[Message], Any], message: Message) -> None:
    result: object = listener(message)
    if hasattr(result, "__await__"):
        awaitable: Awaitable[object] = result
        await awaitable


def _hash_of(token: str) -> bytes:
    return sha256(token.encode()).digest()
