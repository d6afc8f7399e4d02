"""What the terminal does in a chat, whether a person types or a pipe is read.

A message that was typed is not shown when it is sent but when it is read, as those of the
others are: what is on the screen is the log, in its order, up to the cursor.
"""

from __future__ import annotations

from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from cachetools import FIFOCache
from msgspec.structs import replace
from twisted.internet.defer import DeferredLock

from chatter.protocol.errors import (
    ContentTooLarge,
    Forbidden,
    Gone,
    InvalidRequest,
    Muted,
    UnknownRecipient,
)
from chatter.protocol.model import Edited, Erased, Message, StandingChanged
from chatter.terminal.commands import (
    HELP,
    Edit,
    Help,
    History,
    Mistake,
    Moderate,
    More,
    Report,
    Say,
    SayTo,
    ShowReports,
    Who,
    Withdraw,
    quoted,
)
from chatter.terminal.lines import READ, line_of_change, shown_name
from chatter.terminal.moderation import Moderation

if TYPE_CHECKING:
    from chatter.client.watcher import Watcher
    from chatter.protocol.model import Change
    from chatter.terminal.commands import Command
    from chatter.terminal.session import Session

REJECTIONS = (ContentTooLarge, Forbidden, Gone, InvalidRequest, Muted, UnknownRecipient)
"""What a single line may be rejected with; the next one may be fine."""

CONTEXT = 5
"""So many messages that were read before are shown to those who come back."""

OLDER = 20
"""So many messages a ``/history`` shows."""

MOST_NAMES = 100
"""At most so many names a ``/who`` shows."""

REMEMBERED = 500
"""Changes of so many messages that were shown last are shown."""


class Conversation:
    """One user in the chat.

    Each method that is awaited raises what :class:`chatter.ChatClient` raises.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._client = session.client
        self._user_id = session.user_id
        self._people = session.people
        self._display = session.display
        self._persist = session.persist
        self._reading = DeferredLock()
        self._oldest_shown: dict[int | None, int] = {}
        self._shown: FIFOCache[int, Message] = FIFOCache(REMEMBERED)
        self._mine: FIFOCache[int, Message] = FIFOCache(REMEMBERED)
        self._moderation = Moderation(session)

    async def show_unread(self) -> None:
        """Show what has come, until there is nothing more."""
        async with self._reading:
            await self._persist(self._show_unread)

    async def show_coming(self, watcher: Watcher | None = None) -> None:
        """Show what has come and what comes, until it is cancelled.

        A message that is changed after it was shown is shown again, in a line that says so.

        :param watcher: learns when the server is away, and when it is back.
        """
        try:
            async with aclosing(self._client.follow_entries(watcher)) as entries:
                async for entry in entries:
                    if isinstance(entry, Message):
                        await self._persist(partial(self._show, entry))
                    else:
                        self._show_change(entry)
        finally:
            self._moderation.stop()

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
            case More():
                self._show_more()
            case Who():
                await self._show_who_is_online()
            case History(name):
                other = await self._persist(partial(self._id_of, name)) if name else None
                await self._show_history(other)
            case ShowReports():
                await self._moderation.show_reports()
            case Report() | Moderate():
                await self._moderate(command)
            case Say() | SayTo() | Edit() | Withdraw():
                await self._write(command)

    async def _write(self, command: Say | SayTo | Edit | Withdraw) -> None:
        match command:
            case Say(text):
                # One key for all attempts: it is said once, however long it takes.
                key = uuid4().hex
                self._keep(await self._persist(lambda: self._client.send(text, key=key)))
            case Edit(text):
                last = self._last_of_mine()
                self._keep(await self._persist(lambda: self._client.edit(last.id, text)))
            case Withdraw():
                last = self._last_of_mine()
                await self._persist(lambda: self._client.withdraw(last.id))
                self._mine.pop(last.id, None)
            case SayTo(name, text):
                await self._persist(partial(self._say_to, name, text, uuid4().hex))

    async def _moderate(self, command: Report | Moderate) -> None:
        other = await self._persist(partial(self._id_of, command.name))
        if isinstance(command, Moderate):
            await self._moderation.moderate(other, command.action, command.seconds)
        else:
            shown = self._shown.values()
            await self._moderation.report(other, command.name, command.reason, shown)

    async def _say_to(self, name: str, text: str, key: str) -> None:
        # The name is looked up for each attempt, see chatter.terminal.people.
        self._keep(await self._client.send_private(await self._id_of(name), text, key=key))

    def _keep(self, message: Message) -> None:
        """Remember a message that may be changed, as it is now."""
        if message.sender_id == self._user_id:
            self._mine[message.id] = message

    def _last_of_mine(self) -> Message:
        """The user's last message.

        :raises InvalidRequest: if there is none.
        """
        if not self._mine:
            raise InvalidRequest("There is no message of yours that could be changed.")
        return self._mine[max(self._mine)]

    def _show_change(self, change: Change) -> None:
        """Show what has become of a message that was shown, or of what the user may do."""
        if isinstance(change, StandingChanged):
            if change.user_id == self._user_id:
                self._moderation.tell_own_standing(change)
            return
        if isinstance(change, Erased):
            return
        if self._session.long_texts is not None:
            self._session.long_texts.forget(change.message_id)
        message = self._shown.get(change.message_id)
        if message is None:
            return
        if isinstance(change, Edited):
            if message.text == change.text:
                return
            message = replace(message, text=change.text, edited_at=change.at)
            self._shown[message.id] = message
            self._keep(message)
        else:
            del self._shown[message.id]
            self._mine.pop(message.id, None)
        name_of, now = self._people.name_of, self._session.now()
        shown = self._session.as_shown(message) if isinstance(change, Edited) else message
        self._display.show(line_of_change(change, shown, self._user_id, name_of, now))

    async def _id_of(self, name: str) -> int:
        user_id = await self._people.id_of(name)
        if user_id is None:
            raise UnknownRecipient(f"There is nobody called {quoted(name)}.")
        return user_id

    def _show_more(self) -> None:
        long_texts = self._session.long_texts
        if long_texts is None or long_texts.last is None:
            self._display.tell("No message was shortened.")
        else:
            self._display.show(self._session.line_of(long_texts.last))

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
        self._shown[message.id] = message
        self._keep(message)
        line = self._session.line_of(self._session.as_shown(message))
        self._display.show([(f"{part} {style}".strip(), text) for part, text in line])
