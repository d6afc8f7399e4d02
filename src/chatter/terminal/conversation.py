"""What the terminal does in a chat, whether a person types or a pipe is read.

A message that was typed is not shown when it is sent but when it is read, as those of the
others are: what is on the screen is the log, in its order, up to the cursor.
"""

from __future__ import annotations

from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from twisted.internet.defer import DeferredLock

from chatter.clocks import wall_clock
from chatter.protocol.errors import ContentTooLarge, InvalidRequest, UnknownRecipient
from chatter.terminal.commands import HELP, Help, History, Mistake, Say, SayTo, Who, quoted
from chatter.terminal.lines import READ, line_of, shown_name, time_at

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from chatter.client import ChatClient
    from chatter.client.watcher import Watcher
    from chatter.protocol.model import Message
    from chatter.terminal.commands import Command
    from chatter.terminal.lines import Line
    from chatter.terminal.outage import Persist
    from chatter.terminal.people import People


REJECTIONS = (ContentTooLarge, InvalidRequest, UnknownRecipient)
"""What a single line may be rejected with; the next one may be fine."""

CONTEXT = 5
"""So many messages that were read before are shown to those who come back."""

OLDER = 20
"""So many messages a ``/history`` shows."""

MOST_NAMES = 100
"""At most so many names a ``/who`` shows."""


class Display(Protocol):
    """Where lines are shown."""

    def show(self, line: Line) -> None:
        """Show a message, or what a command resulted in."""

    def tell(self, line: str) -> None:
        """Show something about the client itself."""


class Conversation:
    """One user in the chat.

    :param user_id: the user.
    :param persist: what to do when the server is away.

    Each method that is awaited raises what :class:`chatter.ChatClient` raises.
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
        self._wall_clock = wall_clock(clock)
        self._user_id = user_id
        self._people = people
        self._display = display
        self._persist = persist
        self._reading = DeferredLock()
        self._oldest_shown: dict[int | None, int] = {}

    async def show_unread(self) -> None:
        """Show what has come, until there is nothing more."""
        async with self._reading:
            await self._persist(self._show_unread)

    async def show_coming(self, watcher: Watcher | None = None) -> None:
        """Show what has come and what comes, until it is cancelled.

        :param watcher: learns when the server is away, and when it is back.
        """
        async with aclosing(self._client.follow(watcher)) as messages:
            async for message in messages:
                await self._persist(partial(self._show, message))

    async def show_context(self) -> None:
        """Show the last messages of the general chat that were read before."""
        cursor = self._client.cursor
        if cursor:
            await self._show_older(None, cursor + 1, CONTEXT)

    async def do(self, command: Command) -> None:
        """Do what was typed, and show what it resulted in.

        :raises InvalidRequest: or another of :data:`REJECTIONS`, if it can't be done.
        """
        match command:
            case Mistake(detail):
                self._display.tell(detail)
            case Help():
                for line in HELP:
                    self._display.show([("", line)])
            case Who():
                await self._show_who_is_online()
            case History(name):
                other = await self._persist(partial(self._id_of, name)) if name else None
                await self._show_history(other)
            case Say(text):
                # One key for all attempts: it is said once, however long it takes.
                key = uuid4().hex
                await self._persist(lambda: self._client.send(text, key=key))
            case SayTo(name, text):
                await self._persist(partial(self._say_to, name, text, uuid4().hex))

    async def _say_to(self, name: str, text: str, key: str) -> None:
        # The name is looked up for each attempt, see chatter.terminal.people.
        await self._client.send_private(await self._id_of(name), text, key=key)

    async def _id_of(self, name: str) -> int:
        user_id = await self._people.id_of(name)
        if user_id is None:
            raise UnknownRecipient(f"There is nobody called {quoted(name)}.")
        return user_id

    async def _show_who_is_online(self) -> None:
        found = await self._persist(lambda: self._people.online(MOST_NAMES))
        names = [shown_name(name, 0) for name in found.names]
        if found.online > len(names):
            names.append(f"and {found.online - len(names)} more")
        of = f"{found.users}" if found.is_whole else f"the first {found.users}"
        self._display.show([("", f"{found.online} of {of} online: {', '.join(names)}")])

    async def _show_history(self, other_id: int | None) -> None:
        before = self._oldest_shown.get(other_id)
        if not await self._show_older(other_id, before, OLDER):
            self._oldest_shown.pop(other_id, None)
            self._display.tell("There are no older messages.")

    async def _show_older(self, other_id: int | None, before: int | None, limit: int) -> bool:
        """Show older messages of one chat; whether there are any."""
        page = await self._persist(
            lambda: self._client.history(other_id, before=before, limit=limit)
        )
        for message in page.messages:
            await self._persist(partial(self._show, message, style=READ))
        if page.messages:
            self._oldest_shown[other_id] = page.messages[0].id
        return bool(page.messages)

    async def _show_unread(self) -> None:
        async with aclosing(self._client.unread()) as messages:
            async for message in messages:
                await self._show(message)

    async def _show(self, message: Message, *, style: str = "") -> None:
        await self._people.meet({message.sender_id, message.recipient_id or message.sender_id})
        now = time_at(self._wall_clock())
        line = line_of(message, self._user_id, self._people.name_of, now)
        self._display.show([(f"{part} {style}".strip(), text) for part, text in line])
