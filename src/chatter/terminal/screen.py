"""The terminal: a line that is typed, and above it what comes in."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory
from prompt_toolkit.shortcuts import CompleteStyle, print_formatted_text
from twisted.internet.defer import CancelledError, Deferred

from chatter.terminal.lines import harmless

if TYPE_CHECKING:
    from pathlib import Path

    from chatter.terminal.completion import ChatCompleter

_PLAIN = ""
_PRIVATE = "bold ansimagenta"
_ABOUT_THE_CLIENT = "italic ansicyan"


class Screen:
    """Reads lines from the terminal, and shows others above the one being typed.

    It needs Twisted's asyncio reactor to be running.

    :param history: the file of the lines that were typed, for this and later times.
    :raises OSError: if that can't be used.
    """

    def __init__(self, history: Path, completer: ChatCompleter) -> None:
        # Private messages are in it, so it must never be there for others to read.
        os.close(os.open(history, os.O_CREAT | os.O_WRONLY, 0o600))
        self._session: PromptSession[str] = PromptSession(
            history=FileHistory(history),
            completer=completer,
            complete_while_typing=False,
            complete_style=CompleteStyle.READLINE_LIKE,
            # What was typed shows up as a message once it has been sent.
            erase_when_done=True,
            interrupt_exception=EOFError,
        )
        self._unshown: list[tuple[str, str]] = []

    def show(self, line: str, *, private: bool = False) -> None:
        """Show a message, or what was asked for."""
        self._show(_PRIVATE if private else _PLAIN, line)

    def tell(self, line: str) -> None:
        """Say something about the client itself."""
        self._show(_ABOUT_THE_CLIENT, harmless(line))

    async def ask_name(self) -> str | None:
        """A name that the person chooses; ``None`` for any.

        :raises EOFError: if the person leaves.
        """
        session: PromptSession[str] = PromptSession(
            erase_when_done=True, interrupt_exception=EOFError
        )
        name = await _typed(session, "Your name (Enter for any): ")
        return name.strip() or None

    async def line(self, name: str) -> str:
        """The next line that is typed.

        :param name: stands before it.
        :raises EOFError: if the person leaves.
        """
        return await _typed(self._session, f"{name}> ")

    def flush(self) -> None:
        """Show what is not shown yet."""
        if self._unshown:
            unshown, self._unshown = self._unshown, []
            print_formatted_text(FormattedText(unshown), end="")

    def _show(self, style: str, line: str) -> None:
        # The prompt is drawn anew once for all that comes in one turn of the loop.
        if not self._unshown:
            asyncio.get_running_loop().call_soon(self.flush)
        self._unshown.append((style, f"{line}\n"))


async def _typed(session: PromptSession[str], prompt: str) -> str:
    # Ctrl-C is a key here; signals from elsewhere are the reactor's.
    prompted = session.prompt_async(FormattedText([("bold", prompt)]), handle_sigint=False)
    typing = asyncio.ensure_future(prompted)
    try:
        return await Deferred.fromFuture(typing)
    except asyncio.CancelledError:
        # By now the terminal is as it was before.  Twisted has a name of its own for this.
        raise CancelledError from None
