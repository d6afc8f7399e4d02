"""What the client does in a chat, whether a person types or a pipe is read.

A message that was typed is not shown when it is sent but when it is read, as those
of the others are: what is on the screen is the log, in its order, up to the cursor.
"""

from __future__ import annotations

from contextlib import aclosing
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from twisted.internet.defer import DeferredLock

from chatter.clocks import wall_clock
from chatter.protocol.errors import ContentTooLarge, InvalidRequest, UnknownRecipient
from chatter.terminal.commands import HELP, Help, Mistake, Say, SayTo, Who
from chatter.terminal.lines import harmless, line_of

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from chatter.client import ChatClient
    from chatter.client.watcher import Watcher
    from chatter.protocol.model import Message
    from chatter.terminal.commands import Command
    from chatter.terminal.outage import Persist
    from chatter.terminal.people import People


REJECTIONS = (ContentTooLarge, InvalidRequest, UnknownRecipient)
"""What a single line may be refused for; the next one may be fine."""


class Display(Protocol):
    """Where lines go."""

    def show(self, line: str, *, private: bool = False) -> None:
        """Show a message, or what was asked for."""

    def tell(self, line: str) -> None:
        """Say something about the client itself."""


class Conversation:
    """One user in the chat.

    :param user_id: who it is.
    :param persist: what to do when the server is away.

    What it asks the server raises what :class:`~chatter.client.ChatClient` raises.
    """

    def __init__(
        self,
        client: ChatClient,
        clock: IReactorTime,
        *,
        user_id: int,
        people: People,
        display: Display,
        persist: Persist,
    ) -> None:
        self._client = client
        self._clock = clock
        self._wall_clock = wall_clock(clock)
        self._user_id = user_id
        self._people = people
        self._display = display
        self._persist = persist
        self._reading = DeferredLock()

    async def show_unread(self) -> None:
        """Show what has come, until there is nothing more."""
        async with self._reading:
            await self._persist(self._show_unread)

    async def show_coming(self, watcher: Watcher | None = None) -> None:
        """Show what has come and what comes, until it is cancelled.

        :param watcher: hears when the server is away, and when it is back.
        """
        async for message in self._client.follow(watcher):
            await self._persist(partial(self._show, message))

    async def do(self, command: Command) -> None:
        """Do what was typed, and show what came of it.

        :raises InvalidRequest: or another of :data:`REJECTIONS`, if it can't be done.
        """
        match command:
            case Mistake(detail):
                self._display.tell(detail)
            case Help():
                for line in HELP:
                    self._display.show(line)
            case Who():
                await self._show_who_is_there()
            case Say(text):
                # One key for all attempts: it is said once, however long it takes.
                key = uuid4().hex
                await self._persist(lambda: self._client.send(text, key=key))
            case SayTo(name, text):
                await self._say_to(name, text)

    async def _say_to(self, name: str, text: str) -> None:
        recipient_id = await self._persist(lambda: self._people.id_of(name))
        if recipient_id is None:
            raise UnknownRecipient(f"There is nobody called {name}.")
        key = uuid4().hex
        await self._persist(lambda: self._client.send_private(recipient_id, text, key=key))

    async def _show_who_is_there(self) -> None:
        everybody = await self._persist(self._people.all)
        online = [harmless(user.name) for user in everybody if user.online]
        self._display.show(f"{len(online)} of {len(everybody)} online: {', '.join(online)}")

    async def _show_unread(self) -> None:
        async with aclosing(self._client.unread()) as messages:
            async for message in messages:
                await self._show(message)

    async def _show(self, message: Message) -> None:
        await self._people.meet({message.sender_id, message.recipient_id or message.sender_id})
        self._display.show(self._line_of(message), private=message.recipient_id is not None)

    def _line_of(self, message: Message) -> str:
        now = datetime.fromtimestamp(self._wall_clock(), timezone.utc).astimezone()
        return line_of(message, self._user_id, self._people.name_of, now)
