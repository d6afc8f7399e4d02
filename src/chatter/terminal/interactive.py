"""The chat with a person who types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.patch_stdout import patch_stdout
from twisted.internet.defer import DeferredQueue
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.task import deferLater

from chatter.client import NoResponse
from chatter.protocol.errors import TransientError
from chatter.terminal.commands import Quit, parse
from chatter.terminal.completion import ChatCompleter
from chatter.terminal.conversation import REJECTIONS, Conversation
from chatter.terminal.joining import Joining
from chatter.terminal.outage import Outage
from chatter.terminal.people import People
from chatter.terminal.screen import Screen
from chatter.terminal.together import first_to_end

if TYPE_CHECKING:
    from pathlib import Path

    from twisted.internet.interfaces import IReactorTime

    from chatter.client import ChatClient
    from chatter.terminal.commands import Command
    from chatter.terminal.tokens import TokenFile

LAST_WORDS = 5.0
"""So many seconds may pass at the end until the last lines are sent."""


async def converse(
    client: ChatClient,
    clock: IReactorTime,
    tokens: TokenFile,
    history: Path,
    name: str | None,
) -> None:
    """Join and chat until the person leaves.

    :raises OSError: if the token or the history can't be kept.
    :raises UnreadableTokens: if their file holds something else.

    What goes wrong for good raises what :class:`~chatter.client.ChatClient` raises.
    """
    people = People(client)
    screen = Screen(history, ChatCompleter(lambda: people.names))
    outage = Outage(clock, screen.tell)
    with patch_stdout():
        try:
            joining = Joining(client, tokens, outage.outlast, screen.tell, screen.ask_name)
            me = await joining.join(name)
            screen.tell(f"You are {me.name}. /help lists the commands.")
            await outage.outlast(people.update)
            conversation = Conversation(
                client,
                clock,
                user_id=me.user_id,
                people=people,
                display=screen,
                persist=outage.outlast,
            )
            await _Chatting(conversation, clock, screen, me.name, outage).run()
            await _take_leave(client, clock)
        except EOFError:
            return
        finally:
            screen.flush()


async def _take_leave(client: ChatClient, clock: IReactorTime) -> None:
    """Tell the server what has been read, so that it is not shown the next time."""
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
        screen: Screen,
        name: str,
        outage: Outage,
    ) -> None:
        self._conversation = conversation
        self._clock = clock
        self._screen = screen
        self._name = name
        self._outage = outage
        self._typed: DeferredQueue[Command | None] = DeferredQueue()
        self._unsent = 0

    async def run(self) -> None:
        """Chat until the person leaves, or something goes wrong for good."""
        coming = self._conversation.show_coming(self._outage)
        await first_to_end(self._type(), self._send(), coming)

    async def _type(self) -> None:
        while not isinstance(command := await self._next(), Quit):
            if command is not None:
                self._unsent += 1
                self._hand_over(command)
        self._hand_over(None)
        # Sending ends first, unless the server is away.
        await deferLater(self._clock, LAST_WORDS)
        self._screen.tell(f"What you typed last may not have been sent ({self._unsent}).")

    def _hand_over(self, command: Command | None) -> None:
        # Not at once: if sending ends, it cancels typing, which has to be waiting by then.
        self._clock.callLater(0, self._typed.put, command)

    async def _next(self) -> Command | None:
        try:
            return parse(await self._screen.line(self._name))
        except EOFError:
            return Quit()

    async def _send(self) -> None:
        while (command := await self._typed.get()) is not None:
            try:
                await self._conversation.do(command)
            except REJECTIONS as error:
                self._screen.tell(error.detail)
            self._unsent -= 1
