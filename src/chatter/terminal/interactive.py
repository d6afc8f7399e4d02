"""The chat with a person who types."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import DeferredQueue
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.task import deferLater

from chatter.client import NoResponse
from chatter.protocol.errors import TransientError
from chatter.terminal.commands import Help, Mistake, Quit, parse
from chatter.terminal.conversation import REJECTIONS, Conversation
from chatter.terminal.display import Display
from chatter.terminal.joining import Joining
from chatter.terminal.lines import shown_name
from chatter.terminal.long_texts import LongTexts
from chatter.terminal.outage import Outage
from chatter.terminal.race import first_to_end
from chatter.terminal.session import Session

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from chatter.client import ChatClient
    from chatter.terminal.commands import Command
    from chatter.terminal.people import People
    from chatter.terminal.tokens import TokenFile

LAST_WORDS = 5.0
"""So many seconds may pass at the end until the last lines are sent."""

UNSENT_AFTER = 2.0
"""A line that is not sent after so many seconds is shown as waiting."""


class Terminal(Display, Protocol):
    """Where a person types and reads; ``with`` it lines appear above the one being typed."""

    def __enter__(self) -> object: ...

    def __exit__(self, *_: object) -> None: ...

    async def ask_name(self) -> str | None:
        """A name that the person chooses; ``None`` for any.

        :raises EOFError: if the person leaves.
        """

    async def line(self, name: str) -> str:
        """The next line that is typed, behind the person's name.

        :raises EOFError: if the person leaves.
        """


async def converse(
    client: ChatClient,
    clock: IReactorTime,
    tokens: TokenFile,
    terminal: Terminal,
    people: People,
    name: str | None,
    invitation: str | None = None,
) -> None:
    """Join and chat until the person leaves.

    :raises OSError: if the token or the history can't be kept.
    :raises UnreadableTokens: if their file holds something else.

    What goes wrong for good raises what :class:`chatter.ChatClient` raises.
    """
    outage = Outage(clock, terminal.tell)
    outage.add_memory(people.forget)
    with terminal:
        try:
            joining = Joining(client, tokens, outage.outlast, terminal.tell, terminal.ask_name)
            me = await joining.join(name, invitation)
            shown = shown_name(me.name, me.user_id)
            terminal.tell(f"You are {shown} (--name NAME for another). /help lists the commands.")
            await outage.outlast(people.meet_some)
            session = Session(
                client, clock, me.user_id, people, terminal, outage.outlast, LongTexts()
            )
            conversation = Conversation(session)
            if joining.came_back:
                await conversation.show_context()
            await _Chatting(conversation, clock, terminal, shown, outage).run()
            await _take_leave(client, clock)
        except EOFError:
            return


async def _take_leave(client: ChatClient, clock: IReactorTime) -> None:
    """Acknowledge what was read, so that it is not shown the next time."""
    try:
        await client.acknowledge().addTimeout(LAST_WORDS, clock)
    except (DeferredTimeout, NoResponse, TransientError):
        # It is shown again then; nothing is lost.
        return


class _Chatting:
    """Three things at once: lines are typed, lines are sent, messages come in."""

    def __init__(
        self,
        conversation: Conversation,
        clock: IReactorTime,
        terminal: Terminal,
        name: str,
        outage: Outage,
    ) -> None:
        self._conversation = conversation
        self._clock = clock
        self._terminal = terminal
        self._name = name
        self._outage = outage
        self._typed: DeferredQueue[Command | None] = DeferredQueue()
        self._unsent: deque[IDelayedCall] = deque()

    async def run(self) -> None:
        """Chat until the person leaves, or something goes wrong for good."""
        coming = self._conversation.show_coming(self._outage)
        try:
            await first_to_end(self._type(), self._send(), coming)
        finally:
            while self._unsent:
                self._first_is_done()

    async def _type(self) -> None:
        while not isinstance(await self._next(), Quit):
            pass
        self._hand_over(None)
        # Sending ends first, unless the server is away.
        await deferLater(self._clock, LAST_WORDS)
        unsent = len(self._unsent)
        self._terminal.tell(f"What you typed last may not have been sent ({unsent}).")

    async def _next(self) -> Command | None:
        try:
            line = await self._terminal.line(self._name)
        except EOFError:
            return Quit()
        command = parse(line)
        if isinstance(command, (Help, Mistake)):
            await self._conversation.do(command)
        elif command is not None and not isinstance(command, Quit):
            wait = 0 if self._outage.is_on else UNSENT_AFTER
            self._unsent.append(
                self._clock.callLater(wait, self._terminal.tell, f"Waiting: {line}")
            )
            self._hand_over(command)
        return command

    def _hand_over(self, command: Command | None) -> None:
        # Not at once: if sending ends, it cancels typing, which has to be waiting by then.
        self._clock.callLater(0, self._typed.put, command)

    async def _send(self) -> None:
        while (command := await self._typed.get()) is not None:
            try:
                await self._conversation.do(command)
            except REJECTIONS as error:
                self._terminal.tell(error.detail)
            self._first_is_done()

    def _first_is_done(self) -> None:
        notice = self._unsent.popleft()
        if notice.active():
            notice.cancel()
