"""The client of a chat: what can be requested of a server, each as one method.

Every request is sent again when the connection breaks or the server is busy; nothing
happens twice by that:

* A text, and joining as somebody new, has a key, the same for all attempts.
* A poll says after which id it reads, and the client's cursor moves only when a
  response has arrived whole.  The next request acknowledges it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.client import requests
from chatter.client.following import follow
from chatter.client.moderating import Moderating
from chatter.client.own_tokens import OwnTokens
from chatter.client.page_checks import check_chats, check_history, check_users
from chatter.protocol.bodies import (
    Chats,
    Connected,
    Done,
    Health,
    SendBody,
    SendPrivateBody,
    Users,
    WithdrawnMessage,
)
from chatter.protocol.deferring import returns_deferred
from chatter.protocol.model import Message, Page
from chatter.protocol.queries import DEFAULT_CHATS, DEFAULT_LIMIT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection

    from twisted.internet.defer import Deferred

    from chatter.client.subscription import Subscription, Taken
    from chatter.client.watcher import Watcher
    from chatter.protocol.model import Change


class ChatClient(OwnTokens, Moderating):
    """One user's way to a chat server.

    :param url: where the server is; it may have a path.
    :param agent: an ``IAgent`` provider, which sends the requests.
    :param clock: an ``IReactorTime`` provider, which measures time-outs, and the waits
        between attempts.
    :param token: proves who the user is, from an earlier :meth:`connect`.
    :param timeout: how many seconds one attempt may take.
    :param retries: how often and how long to try again; for two minutes by default.
    :param random: where keys and the jitter of waits come from.
    :param watcher: hears of each attempt that fails, and when one succeeds again.
    :raises ValueError: if the URL can't be the URL of a chat server.

    ``agent`` and ``clock`` are of any type: only a plugin tells type checkers which
    classes provide an interface of Twisted.

    The methods return Deferreds: work begins with the call.  Every one but ``close``
    may fail with a :class:`chatter.client.errors.NoResponse`, with a
    :class:`chatter.protocol.errors.TransientError` once retrying has not helped, and, but
    for :meth:`health`, with :class:`chatter.protocol.errors.Unauthorized` when the server
    does not know the token, and with :class:`chatter.protocol.errors.Banned` while the user
    or the address is banned.

    It is an asynchronous context manager, which closes it at the end.
    """

    @returns_deferred
    async def connect(
        self, name: str | None = None, *, key: str | None = None, invitation: str | None = None
    ) -> Connected:
        """Join the chat; with a token, come back as the user whose it is.

        The client's own cursor, if it has one, stays where it is: another client of the
        user may have read further than this one.

        :param name: how a new user wants to be called; without it the chat chooses.
        :param key: as secret as the token, and made by the client if it is not given:
            22 to 64 visible ASCII characters, made at random.  A client that joins again
            with the same key and name within ten minutes is the same user.
        :param invitation: with which a new user joins a chat that is not open.
        :raises JoiningClosed: if nobody can join.
        :raises InvitationNeeded: if one joins with an invitation, and this is none.
        :raises InvitationExpired: if it has expired.
        :raises InvitationUsed: if it was used up.
        :raises NameTaken: if somebody has that name.
        :raises KeyUsed: if the key was used for another name, or too long ago.
        :raises InvalidRequest: if nobody can have it.
        """
        return await self._reading.begin(name, key, invitation)

    @returns_deferred
    async def send(self, text: str, *, key: str | None = None) -> Message:
        """Send to the general chat; the response means that the message is stored.

        :param key: a text that was sent with the same key before is not sent again;
            without it, each call is a new message.
        :raises InvalidRequest: if the text or the key is not valid.
        :raises Muted: if the user may not send now.
        """
        request = requests.sending("/send", SendBody(text), key or self._new_key())
        return await self._attempts.until_done(Message, request)

    @returns_deferred
    async def send_private(
        self, recipient_id: int, text: str, *, key: str | None = None
    ) -> Message:
        """Send to one user; nobody but the two will ever see it.

        :param key: as for :meth:`send`.
        :raises UnknownRecipient: if nobody has that id, or the user has left for good.
        :raises InvalidRequest: if the text or the key is not valid.
        :raises Muted: if the user may not send now.
        """
        body = SendPrivateBody(text, recipient_id)
        request = requests.sending("/send-private", body, key or self._new_key())
        return await self._attempts.until_done(Message, request)

    @returns_deferred
    async def edit(self, message_id: int, text: str) -> Message:
        """Give a message of one's own another text; the message as it is now.

        :raises Gone: if it was withdrawn, or is no message of the user.
        :raises InvalidRequest: if the text is not valid.
        :raises Muted: if the user may not edit now.
        """
        return await self._attempts.until_done(Message, requests.edit(message_id, text))

    @returns_deferred
    async def withdraw(self, message_id: int) -> None:
        """Withdraw a message of one's own: nobody can read it any more.

        :raises Gone: if it is no message of the user, or not any more: where a response
            was lost, an attempt before may have withdrawn it.
        """
        await self._attempts.until_done(WithdrawnMessage, requests.withdrawal(message_id))

    @returns_deferred
    async def poll(self, limit: int = DEFAULT_LIMIT) -> Page:
        """What comes after the cursor, oldest first; then the cursor stands behind it.

        The server learns from the next poll that this one was read.

        :param limit: at most so many messages.
        """
        page = await self._reading.page(limit)
        self.cursor = page.cursor
        return page

    def unread(self) -> AsyncGenerator[Message, None]:
        """Every message that comes after the cursor, until there is none.

        A message counts as read once the next one is requested.  At the end the
        server knows that all were read.
        """
        return self._reading.unread()

    def follow(self, watcher: Watcher | None = None) -> AsyncGenerator[Message, None]:
        """Every message that comes after the cursor, as it comes, until it is closed.

        Each comes once, in id order, through restarts of the server and broken or
        dead connections.  A message counts as read once the next one is requested;
        it is acknowledged now and then, and by :meth:`acknowledge`.

        :param watcher: hears when the connection is lost and found again; without it,
            the client's own watcher does.
        """
        return self._follow(self._reading.subscribe, watcher)

    def follow_entries(
        self, watcher: Watcher | None = None
    ) -> AsyncGenerator[Message | Change, None]:
        """What :meth:`follow` has, and each change of a message, in id order.

        A message is as it is when it comes.  Who has kept it applies the changes that come
        later; a change of a message that is not there is no mistake.
        """
        return self._follow(self._reading.subscribe_to_entries, watcher)

    def _follow(
        self,
        subscribe: Callable[[Watcher | None], Deferred[Subscription[Taken]]],
        watcher: Watcher | None,
    ) -> AsyncGenerator[Taken, None]:
        return follow(
            self._reading,
            subscribe,
            self._clock,
            self._retries,
            self._random,
            self._operations,
            watcher or self._watcher,
        )

    def subscribe(self) -> Deferred[Subscription[Message]]:
        """One connection to the event stream, from the cursor on; without trying again."""
        return self._reading.subscribe(self._watcher)

    def acknowledge(self) -> Deferred[None]:
        """Acknowledge what was read; sent once, without retries.

        Polls and reconnecting acknowledge it, too; this is for a client that is about to end.
        """
        return self._reading.acknowledge()

    @returns_deferred
    async def history(
        self,
        with_user: int | None = None,
        *,
        before: int | None = None,
        limit: int | None = None,
    ) -> Page:
        """The newest messages of one chat, oldest first.  Nothing is read by looking.

        Who follows the changes, too, applies those with a larger id than ``as_of`` of the page to
        it: they may have come before the page.

        :param with_user: whose private chat with this user; without it, the
            general chat.
        :param before: only what is older than this id: pages back.
        :param limit: at most so many; without it, as many as the server thinks fit.
        :raises UnknownRecipient: if nobody has that id.
        """
        request = requests.history(with_user, before, limit)
        page = await self._attempts.until_done(Page, request)
        check_history(page, before)
        return page

    @returns_deferred
    async def users(self, after: int = 0, limit: int = DEFAULT_LIMIT) -> Users:
        """The participants with a larger id than ``after``, by id."""
        users = await self._attempts.until_done(Users, requests.users(after, limit))
        check_users(users, after)
        return users

    @returns_deferred
    async def online_users(self, after: int = 0, limit: int = DEFAULT_LIMIT) -> Users:
        """The participants with a larger id than ``after`` who are online, by id."""
        users = await self._attempts.until_done(Users, requests.online_users(after, limit))
        check_users(users, after)
        return users

    @returns_deferred
    async def users_by_id(self, user_ids: Collection[int]) -> Users:
        """The participants with those ids, 1 to 100 of them, by id; unknown ids are left out.

        :raises InvalidRequest: if one of them can't be an id, or there are too many.
        """
        users = await self._attempts.until_done(Users, requests.users_by_id(user_ids))
        check_users(users, 0)
        return users

    @returns_deferred
    async def users_by_prefix(self, prefix: str, limit: int = DEFAULT_LIMIT) -> Users:
        """The participants whose name begins with a prefix, whatever the case, by name.

        :raises InvalidRequest: if no name can begin with it.
        """
        return await self._attempts.until_done(Users, requests.users_by_prefix(prefix, limit))

    @returns_deferred
    async def chats(self, before: int | None = None, limit: int = DEFAULT_CHATS) -> Chats:
        """The general chat and the newest private chats, or older private ones.

        :param before: only private chats whose last message has a smaller id.
        :param limit: at most so many private chats.
        """
        chats = await self._attempts.until_done(Chats, requests.chats(before, limit))
        check_chats(chats, before)
        return chats

    @returns_deferred
    async def mark_read(self, message_id: int, with_user: int | None = None) -> None:
        """Note that one chat was read up to an id; the cursor of the feed stays.

        :param with_user: whose private chat with this user; without it, the general chat.
        :raises UnknownRecipient: if nobody has that id.
        """
        await self._attempts.until_done(Done, requests.read_mark(with_user, message_id))

    @returns_deferred
    async def health(self) -> Health:
        """Request once, without trying again, whether the server can serve.

        :raises StoreUnavailable: if it can't.
        """
        return await self._attempts.once(Health, requests.HEALTH)
