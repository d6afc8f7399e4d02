"""The chat with a pipe or a file: its lines are sent in order, and then it is over."""

from __future__ import annotations

import codecs
import os
import sys
from threading import Thread
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import DeferredQueue
from twisted.internet.task import deferLater

from chatter.terminal.commands import Mistake, Quit, parse
from chatter.terminal.conversation import REJECTIONS, Conversation
from chatter.terminal.joining import Joining
from chatter.terminal.lines import harmless
from chatter.terminal.outage import give_up
from chatter.terminal.people import People
from chatter.terminal.together import first_to_end

if TYPE_CHECKING:
    from typing import NoReturn

    from twisted.internet.interfaces import IReactorTime

    from chatter.client import ChatClient
    from chatter.terminal.tokens import TokenFile

LOOK_EVERY = 1.0
"""Seconds."""

_CHUNK = 64 * 1024


class Plain:
    """Lines on standard output; what is about the client itself goes to standard error."""

    def show(self, line: str, *, private: bool = False) -> None:  # noqa: ARG002 - it says so
        """Print a message, or what was asked for."""
        print(line, flush=True)  # noqa: T201

    def tell(self, line: str) -> None:
        """Print something about the client itself."""
        print(harmless(line), file=sys.stderr, flush=True)  # noqa: T201


async def pipe(
    client: ChatClient, reactor: Any, tokens: TokenFile, descriptor: int, name: str | None
) -> bool:
    """Join, do what the lines say, and show what there is to read.

    :param descriptor: where the lines are read from.
    :returns: whether all lines could be done.
    :raises OSError: if the token can't be kept.
    :raises UnreadableTokens: if their file holds something else.

    What goes wrong for good raises what :class:`~chatter.client.ChatClient` raises.
    """
    display = Plain()
    me = await Joining(client, tokens, give_up, display.tell).join(name)
    conversation = Conversation(
        client,
        reactor,
        user_id=me.user_id,
        people=People(client),
        display=display,
        persist=give_up,
    )
    all_done = await first_to_end(
        _do_all(_lines_of(descriptor, reactor), conversation, display),
        _show_others(conversation, reactor),
    )
    await conversation.show_unread()
    return all_done


async def _show_others(conversation: Conversation, clock: IReactorTime) -> NoReturn:
    """Show what others send while no line comes."""
    while True:
        await conversation.show_unread()
        await deferLater(clock, LOOK_EVERY)


async def _do_all(
    lines: DeferredQueue[str | None], conversation: Conversation, display: Plain
) -> bool:
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


def _lines_of(descriptor: int, reactor: Any) -> DeferredQueue[str | None]:
    """The lines as they come, and ``None`` at the end.

    A thread reads them: whatever standard input is, a file or somebody else's pipe,
    it can be read by a thread, and is not made non-blocking for its other readers.
    The thread does not keep the process from ending.
    """
    lines: DeferredQueue[str | None] = DeferredQueue()

    def read() -> None:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        rest = ""
        while True:
            try:
                chunk = os.read(descriptor, _CHUNK)
            except OSError:  # there is no standard input
                chunk = b""
            *whole, rest = (rest + decoder.decode(chunk, final=not chunk)).split("\n")
            if not chunk and rest:
                whole.append(rest)
            for line in whole:
                reactor.callFromThread(lines.put, line)
            if not chunk:
                reactor.callFromThread(lines.put, None)
                return

    Thread(target=read, name="chatter-lines", daemon=True).start()
    return lines
