"""The chat with a pipe or a file: its lines are sent in order, and then it is over."""

from __future__ import annotations

import sys
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from twisted.internet.task import deferLater

from chatter.terminal.commands import Mistake, Quit, parse
from chatter.terminal.conversation import REJECTIONS, Conversation
from chatter.terminal.joining import Joining
from chatter.terminal.lines import remark, text_of
from chatter.terminal.outage import give_up
from chatter.terminal.race import first_to_end
from chatter.terminal.session import Session
from chatter.terminal.typed_lines import TypedLines
from chatter.terminal.wrapping import wrapped

if TYPE_CHECKING:
    from typing import NoReturn, TextIO

    from twisted.internet.interfaces import IReactorTime

    from chatter.client import ChatClient
    from chatter.terminal.lines import Line
    from chatter.terminal.people import People
    from chatter.terminal.tokens import TokenFile

LOOK_EVERY = 1.0
"""Seconds."""


class Plain:
    """Lines on standard output; what is about the client itself goes to standard error."""

    def show(self, line: Line) -> None:
        """Print a message, or what a command resulted in."""
        _print(line, sys.stdout)

    def tell(self, line: str) -> None:
        """Print something about the client itself."""
        _print([("", remark(line))], sys.stderr)


def _print(line: Line, stream: TextIO) -> None:
    if stream.isatty():
        line = wrapped(line, get_terminal_size().columns)
    print(text_of(line), file=stream, flush=True)


async def pipe(
    client: ChatClient,
    reactor: Any,
    tokens: TokenFile,
    people: People,
    descriptor: int,
    name: str | None,
    invitation: str | None = None,
) -> bool:
    """Join, do what the lines say, and show what there is to read.

    :param descriptor: where the lines are read from.
    :returns: whether all lines could be done.
    :raises OSError: if the token can't be kept.
    :raises UnreadableTokens: if their file holds something else.

    What goes wrong for good raises what :class:`chatter.ChatClient` raises.
    """
    display = Plain()
    me = await Joining(client, tokens, give_up, display.tell).join(name, invitation)
    conversation = Conversation(Session(client, reactor, me.user_id, people, display, give_up))
    all_done = await first_to_end(
        _do_all(TypedLines(descriptor, reactor), conversation, display),
        _show_others(conversation, reactor),
    )
    await conversation.show_unread()
    return all_done


async def _show_others(conversation: Conversation, clock: IReactorTime) -> NoReturn:
    """Show what others send while no line comes."""
    while True:
        await conversation.show_unread()
        await deferLater(clock, LOOK_EVERY)


async def _do_all(lines: TypedLines, conversation: Conversation, display: Plain) -> bool:
    all_done = True
    while (line := await lines.get()) is not None:
        command = parse(line)
        if command is None:
            continue
        if isinstance(command, Quit):
            break
        try:
            await conversation.do(command)
            # So that what is printed is in the order of the lines.
            await conversation.show_unread()
        except REJECTIONS as error:
            display.tell(error.detail)
            all_done = False
        else:
            all_done = all_done and not isinstance(command, Mistake)
    return all_done
