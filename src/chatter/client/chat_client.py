"""The client of a chat: what can be asked of a server, each as one coroutine.

Everything here may be asked again, and is, when the connection breaks or the server
is busy; nothing happens twice by that:

* A text goes out with a key, made once for all attempts; the server appends once.
* A poll says after which id it reads, and the client's cursor moves only when an
  answer has arrived whole.  An answer that is lost is simply asked for again, and
  the next question tells the server how far the last answer was read.
* Joining as somebody new has no such key.  It is tried again only when the server
  certainly has not done it.
"""

from __future__ import annotations

from random import SystemRandom
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import UNSET, Struct
from twisted.internet.task import deferLater
from twisted.web.client import Agent, HTTPConnectionPool

from chatter.client.bodies import decoded, encoded, error_in
from chatter.client.errors import ServerUnreachable, UnexpectedResponse
from chatter.client.exchange import Exchange, Request
from chatter.client.following import follow
from chatter.client.retries import Retries
from chatter.client.subscription import Subscription
from chatter.protocol.bodies import (
    DEFAULT_LIMIT,
    ConnectBody,
    Connected,
    Health,
    SendBody,
    SendPrivateBody,
    Users,
)
from chatter.protocol.errors import TransientError, Unauthorized
from chatter.protocol.model import Message, Page

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from random import Random

    from twisted.internet.interfaces import IReactorTime
    from twisted.web.iweb import IAgent

    from chatter.client.following import Watcher

DEFAULT_URL = "http://127.0.0.1:8000"

_OK = 200

Value = TypeVar("Value")


class ChatClient:
    """One user's way to a chat server.

    :param url: where the server is; it may have a path.
    :param agent: makes the requests.
    :param clock: measures time-outs, and the waits between attempts.
    :param token: proves who the user is, from an earlier :meth:`connect`.
    :param timeout: how many seconds one attempt may take.
    :param retries: how often and how long to try again.
    :param random: where keys and the jitter of waits come from.
    :raises ValueError: if the URL is none of a chat server.

    :ivar token: the user's token, to be kept for the next time.
    :ivar cursor: the id up to which this client has read; ``None`` before
        :meth:`connect`.

    Every method but :meth:`close` may raise a
    :class:`~chatter.client.errors.NoResponse`, a
    :class:`~chatter.protocol.errors.TransientError` once retrying has not helped, and, but
    for :meth:`health`, :class:`~chatter.protocol.errors.Unauthorized` when the server does
    not know the token.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        agent: IAgent,
        clock: IReactorTime,
        token: str | None = None,
        timeout: float = 30.0,
        retries: Retries | None = None,
        random: Random | None = None,
    ) -> None:
        self.token = token
        self.cursor: int | None = None
        self._exchange = Exchange(url, agent, clock, timeout)
        self._clock = clock
        self._retries = retries or Retries()
        self._random = random or SystemRandom()
        self._pool: HTTPConnectionPool | None = None

    @classmethod
    def for_url(
        cls,
        reactor: Any,
        url: str = DEFAULT_URL,
        *,
        token: str | None = None,
        retries: Retries | None = None,
    ) -> ChatClient:
        """A client with connections of its own, which :meth:`close` closes.

        :raises ValueError: if the URL is none of a chat server.
        """
        pool = HTTPConnectionPool(reactor)
        # Servers close idle connections after a minute or so; a kept one should be alive.
        pool.cachedConnectionTimeout = 30
        agent = Agent(reactor, connectTimeout=10, pool=pool)
        client = cls(url, agent=agent, clock=reactor, token=token, retries=retries)
        client._pool = pool
        return client

    async def close(self) -> None:
        """Close the connections that :meth:`for_url` made."""
        if self._pool is not None:
            await self._pool.closeCachedConnections()

    @property
    def url(self) -> str:
        """Where the server is, without a slash at the end."""
        return self._exchange.url

    async def connect(self, name: str | None = None) -> Connected:
        """Join the chat; with a token, come back as the user whose it is.

        :param name: how a new user wants to be called; without it the chat chooses.
        :raises NameTaken: if somebody has that name.
        :raises InvalidRequest: if nobody can have it.
        """
        new = self.token is None
        body = encoded(ConnectBody(name)) if new and name is not None else None
        request = Request("POST", "/connect", body=body)
        response = await self._request(Connected, request, is_repeatable=not new)
        read = 0 if new else self.cursor or 0
        self.cursor = max(read, response.cursor)
        if response.token is not UNSET:
            self.token = response.token
        return response

    async def send(self, text: str, *, key: str | None = None) -> Message:
        """Send to the general chat; the answer means that the message is stored.

        :param key: a text that was sent with the same key before is not sent again;
            without it, each call is a new message.
        :raises InvalidRequest: if the text or the key is not valid.
        """
        return await self._send("/send", SendBody(text), key)

    async def send_private(
        self, recipient_id: int, text: str, *, key: str | None = None
    ) -> Message:
        """Send to one user; nobody but the two will ever see it.

        :param key: as for :meth:`send`.
        :raises UnknownRecipient: if nobody has that id.
        :raises InvalidRequest: if the text or the key is not valid.
        """
        return await self._send("/send-private", SendPrivateBody(text, recipient_id), key)

    async def poll(self, limit: int = DEFAULT_LIMIT) -> Page:
        """What comes after the cursor, oldest first; then the cursor stands behind it.

        The server learns from the next poll that this one was read.

        :param limit: at most so many messages.
        """
        page = await self._read(limit)
        self.cursor = page.cursor
        return page

    async def unread(self) -> AsyncIterator[Message]:
        """Every message that comes after the cursor, until there is none.

        A message counts as read once the next one is asked for.  At the end the
        server knows that all were read.
        """
        while messages := (await self._read(DEFAULT_LIMIT)).messages:
            for message in messages:
                yield message
                self.cursor = message.id

    def follow(self, watcher: Watcher | None = None) -> AsyncGenerator[Message, None]:
        """Every message that comes after the cursor, as it comes, without an end.

        Each comes once, in id order, through restarts of the server and broken or
        dead connections.  A message counts as read once the next one is asked for;
        the server is told now and then, and by :meth:`acknowledge`.

        :param watcher: hears when the connection is lost and found again.
        """
        return follow(self, self._clock, self._retries, self._random, watcher)

    async def subscribe(self) -> Subscription:
        """One connection to the event stream, from the cursor on; without trying again."""
        subscription = Subscription(self._clock)
        cursor = await self._position()
        request = Request("GET", "/events", last_event_id=cursor)
        try:
            refusal = await self._exchange.subscribe(request, self.token, subscription)
        except BaseException:
            subscription.close()
            raise
        if refusal is not None:
            subscription.close()
            raise error_in(refusal, request)
        return subscription

    async def acknowledge(self) -> None:
        """Tell the server how far was read; asks once, without trying again.

        Polling and coming back tell it too; this is for who is about to leave.
        """
        parameters = {"after": str(await self._position()), "limit": "1"}
        await self._attempt(Page, Request("GET", "/status", parameters))

    async def history(
        self,
        with_user: int | None = None,
        *,
        before: int | None = None,
        limit: int | None = None,
    ) -> Page:
        """The newest messages of one chat, oldest first.  Nothing is read by looking.

        :param with_user: whose private chat with this user; without it, the
            general chat.
        :param before: only what is older than this id: pages back.
        :param limit: at most so many; without it, as many as the server thinks fit.
        :raises UnknownRecipient: if nobody has that id.
        """
        chat = {"chat_type": "general" if with_user is None else "private"}
        return await self._get(
            Page, "/status", **chat, recipient_id=with_user, before=before, limit=limit
        )

    async def users(self, after: int = 0, limit: int = DEFAULT_LIMIT) -> Users:
        """The participants with a larger id than ``after``, by id."""
        return await self._get(Users, "/users", after=after, limit=limit)

    async def health(self) -> Health:
        """Ask once, without trying again, whether the server can serve.

        :raises StoreUnavailable: if it can't.
        """
        return await self._attempt(Health, Request("GET", "/health"))

    async def _read(self, limit: int) -> Page:
        return await self._get(Page, "/status", after=await self._position(), limit=limit)

    async def _position(self) -> int:
        """The cursor, which the server knows if the client doesn't yet."""
        if self.cursor is None:
            if self.token is None:
                raise Unauthorized("Connect first.")
            return (await self.connect()).cursor
        return self.cursor

    async def _get(self, kind: type[Value], path: str, **parameters: int | str | None) -> Value:
        given = {name: str(value) for name, value in parameters.items() if value is not None}
        return await self._request(kind, Request("GET", path, given))

    async def _send(self, path: str, body: Struct, key: str | None) -> Message:
        key = key or f"{self._random.getrandbits(128):032x}"
        return await self._request(Message, Request("POST", path, body=encoded(body), key=key))

    async def _request(
        self, kind: type[Value], request: Request, *, is_repeatable: bool = True
    ) -> Value:
        began = self._clock.seconds()
        failed = 0
        while True:
            try:
                return await self._attempt(kind, request)
            except (TransientError, ServerUnreachable) as error:
                if (
                    isinstance(error, ServerUnreachable)
                    and error.may_have_arrived
                    and not is_repeatable
                ):
                    raise
                failed += 1
                elapsed = self._clock.seconds() - began
                wait = self._retries.wait(failed, elapsed, error.retry_after, self._random)
                if wait is None:
                    raise
            await deferLater(self._clock, wait)

    async def _attempt(self, kind: type[Value], request: Request) -> Value:
        response = await self._exchange.send(request, self.token)
        if response.status != _OK:
            raise error_in(response, request)
        value = decoded(response.body, kind)
        if value is None:
            raise UnexpectedResponse(
                f"{request.method} {request.path} was not answered as a chat server answers."
            )
        return value
