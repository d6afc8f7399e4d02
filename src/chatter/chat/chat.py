"""The chat itself: joining, sending, polling; it knows neither HTTP nor SQL.

A poll is a question to the log: what is in this user's feed after this id?  The
answer changes nothing.  That it arrived is a second step, ``acknowledge``, which
moves the user's cursor; so an answer that is lost on the way is answered again.
"""

from __future__ import annotations

from hashlib import blake2b, sha256
from random import SystemRandom
from typing import TYPE_CHECKING

from cachetools import FIFOCache

from chatter.chat.live import Live
from chatter.chat.presence import Presence
from chatter.protocol import names
from chatter.protocol.bodies import DEFAULT_LIMIT, Participant, Users
from chatter.protocol.errors import NameTaken, StoreUnavailable, Unauthorized, UnknownRecipient
from chatter.protocol.model import Draft, Message, Page, User
from chatter.protocol.validation import checked_key, checked_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from random import Random

    from twisted.internet.interfaces import IReactorTime

    from chatter.log.interfaces import IChatStore

DEFAULT_HISTORY = 20
"""So many messages of the general chat wait for somebody new."""

_REMEMBERED_USERS = 20_000
_FOR_LONG = 3600.0


class Chat:
    """A general chat and the private chats of its participants.

    :param store: an ``IChatStore`` of its own.  Whoever makes the chat starts
        and stops the store; before and after, everything here raises
        :class:`~chatter.protocol.errors.StoreUnavailable`.
    :param clock: an ``IReactorTime``: says what time it is, and when it is later.
    :param history: how many messages of the general chat wait for a new user.
    :param random: where tokens and the names of guests come from.

    Every method that is awaited may raise
    :class:`~chatter.protocol.errors.StoreUnavailable`.
    """

    def __init__(
        self,
        store: IChatStore,
        clock: IReactorTime,
        *,
        history: int = DEFAULT_HISTORY,
        random: Random | None = None,
    ) -> None:
        self.store = store
        self.history = history
        self.live = Live(store, clock)
        self.presence = Presence(clock, lambda user_id, seen: store.save_progress(user_id, 0, seen))
        self.clock = clock
        self._random = random or SystemRandom()
        self._users_by_token: FIFOCache[bytes, User] = FIFOCache(_REMEMBERED_USERS)
        self._users_by_id: FIFOCache[int, User] = FIFOCache(_REMEMBERED_USERS)

    # Users

    async def connect(self, name: str | None = None) -> tuple[User, str]:
        """Join as a new user, with the name or with one that the chat gives.

        :returns: the user, and the token that proves who it is from now on.
        :raises InvalidRequest: if no user can have that name.
        :raises NameTaken: if somebody has it.
        """
        token = f"{self._random.getrandbits(256):064x}"
        token_hash = sha256(token.encode()).digest()
        while True:
            try:
                wanted = names.suggest(self._random) if name is None else name
                user = await self._add_user(wanted, token_hash)
            except NameTaken:
                if name is not None:
                    raise
            else:
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
        return await self.store.add_user(name, token_hash, cursor, self.presence.now())

    def known_user(self, token: str) -> User | None:
        """The user whom a token proves, if it has done so lately."""
        try:
            return self._users_by_token[_in_memory(token)]
        except KeyError:
            return None

    async def authenticate(self, token: str) -> User:
        """The user whom a token proves.

        :raises Unauthorized: if nobody has it.
        """
        user = self.known_user(token)
        if user is None:
            user = await self.store.user_by_token(sha256(token.encode()).digest())
            if user is None:
                raise Unauthorized("Nobody has this token.")
            self._users_by_token[_in_memory(token)] = user
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
            last_seen = self.presence.last_seen(user.id, user.last_seen)
            online = self.presence.is_online(last_seen)
            participants.append(Participant(user.id, user.name, online, last_seen))
        return Users(participants, len(found) > limit)

    # Sending

    async def send(self, user: User, text: str, key: str | None = None) -> Message:
        """Send to the general chat; answers once the message is durable.

        :param key: a retry with the same key sends nothing, and is answered with
            the message that was sent first.
        :raises InvalidRequest: if the text can't be sent or the key not be used.
        """
        return await self.store.append(self._draft(user, None, text, key))

    async def send_private(
        self, user: User, recipient_id: int, text: str, key: str | None = None
    ) -> Message:
        """Send to one user; nobody but the two will ever see it.

        :param key: as for :meth:`send`.
        :raises InvalidRequest: if the text can't be sent or the key not be used.
        :raises UnknownRecipient: if nobody has that id.
        """
        draft = self._draft(user, recipient_id, text, key)
        await self.user(recipient_id)
        return await self.store.append(draft)

    def _draft(self, user: User, recipient_id: int | None, text: str, key: str | None) -> Draft:
        checked_text(text)
        if key is not None:
            checked_key(key)
        return Draft(user.id, recipient_id, text, self.presence.now(), key)

    # Reading

    async def poll(
        self,
        user: User,
        limit: int = DEFAULT_LIMIT,
        after: int | None = None,
        wait: float = 0,
    ) -> Page:
        """What the user has not read, oldest first.

        Nothing moves until the page is acknowledged.

        :param after: what comes after this id, instead of after the user's cursor.
            It also acknowledges all up to it.
        :param wait: if there is nothing, wait so many seconds for something.
        """
        cursor = (
            await self.store.cursor(user.id) if after is None else await self.position(user, after)
        )
        if wait <= 0:
            return await self._page_after(user, cursor, limit)
        end = (await self.live.recent()).last_id
        page = await self._page_after(user, cursor, limit)
        if not page.messages:
            # There is nothing up to the end, but perhaps something came since.
            await self._wait(user, max(cursor, end), wait)
            page = await self._page_after(user, cursor, limit)
        return page

    async def peek(self, user: User, limit: int = DEFAULT_LIMIT, after: int | None = None) -> Page:
        """What :meth:`poll` would answer now; it acknowledges nothing."""
        cursor = await self.store.cursor(user.id) if after is None else after
        return await self._page_after(user, cursor, limit)

    async def _page_after(self, user: User, cursor: int, limit: int) -> Page:
        messages = self.live.known(user.id, cursor, limit + 1)
        if messages is None:
            messages = await self.live.read(user.id, cursor, limit + 1)
        if not messages:
            return Page(messages, cursor, more=False)
        more = len(messages) > limit
        if more:
            messages = messages[:limit]
        return Page(messages, messages[-1].id, more)

    async def position(self, user: User, after: int | None = None) -> int:
        """Where a user goes on reading: after an id, which acknowledges it, or the cursor."""
        cursor = await self.store.cursor(user.id)
        if after is None:
            return cursor
        # Nobody can have read what is not yet there.
        read = min(after, (await self.live.recent()).last_id)
        if read > cursor:
            self.acknowledge(user, read)
        return after

    async def _wait(self, user: User, cursor: int, seconds: float) -> bool:
        with self.presence.held(user.id):
            return await self.live.wait(user.id, cursor, seconds)

    async def follow(self, user: User, after: int | None = None) -> AsyncIterator[Message]:
        """Every message of the user's feed, and then each as it is committed, in id order.

        A message counts as read when the next one is asked for.

        :param after: begin after this id, instead of after the user's cursor.
        :raises StoreUnavailable: when the chat stops, too.
        """
        cursor = await self.position(user, after)
        while True:
            end = (await self.live.recent()).last_id
            messages = await self.live.read(user.id, cursor, DEFAULT_LIMIT)
            for message in messages:
                yield message
                cursor = message.id
                self.acknowledge(user, cursor)
            if not messages and not await self._wait(user, max(cursor, end), _FOR_LONG):
                raise StoreUnavailable("The chat is about to stop.")

    def acknowledge(self, user: User, cursor: int) -> None:
        """Take note that the user has read a page, up to its cursor; it never goes back."""
        self.store.save_progress(user.id, cursor, self.presence.now())

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

    # Listening

    def add_listener(self, listener: Callable[[Message], object]) -> None:
        """Have something called with each message once it is committed, in id order.

        It hears private messages too: it is part of the application, not a user.
        What it awaits is awaited apart; what it raises is logged and ends there.
        """
        self.live.add_listener(listener)

    def remove_listener(self, listener: Callable[[Message], object]) -> None:
        """Have it called no more."""
        self.live.remove_listener(listener)


def _in_memory(token: str) -> bytes:
    """What a token is known as in memory, where another hash will do.

    OpenSSL's takes longer to set up than all else that a known token needs.
    """
    return blake2b(token.encode()).digest()
