"""The terminal: a line that is typed, and above it what comes in."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.shortcuts import CompleteStyle, print_formatted_text
from prompt_toolkit.styles import Style
from twisted.internet.defer import CancelledError, Deferred

from chatter.terminal.lines import remark
from chatter.terminal.wrapping import wrapped

if TYPE_CHECKING:
    from pathlib import Path

    from prompt_toolkit.key_binding import KeyPressEvent
    from typing_extensions import Self

    from chatter.terminal.completion import ChatCompleter
    from chatter.terminal.lines import Line

STYLE = Style.from_dict(
    {
        "time": "ansigray",
        "name": "bold ansigreen",
        "private": "ansimagenta",
        "private name": "bold ansimagenta",
        "read": "ansigray",
        "client": "italic ansicyan",
        "prompt": "bold",
    }
)


class Screen:
    """Reads lines from the terminal, and shows others above the one being typed.

    It needs Twisted's asyncio reactor to be running.

    :param history: the file of the lines that were typed, for this and later times.
    :raises OSError: if that can't be used.
    """

    def __init__(self, history: Path, completer: ChatCompleter) -> None:
        # Private messages are in it, so it must never be there for others to read.
        os.close(os.open(history, os.O_CREAT | os.O_WRONLY, 0o600))
        self._keys = _keys()
        self._session: PromptSession[str] = PromptSession(
            history=FileHistory(history),
            completer=completer,
            complete_while_typing=False,
            complete_style=CompleteStyle.READLINE_LIKE,
            # What was typed shows up as a message once it has been sent.
            erase_when_done=True,
            key_bindings=self._keys,
            style=STYLE,
        )
        self._patch = patch_stdout()
        self._unshown: Line = []

    def __enter__(self) -> Self:
        self._patch.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.__exit__(None, None, None)
        self._flush()

    def show(self, line: Line) -> None:
        """Show a message, or what a command resulted in."""
        # The prompt is drawn anew once for all that comes in one turn of the loop.
        if not self._unshown:
            asyncio.get_running_loop().call_soon(self._flush)
        columns = self._session.output.get_size().columns
        self._unshown += [*wrapped(line, columns), ("", "\n")]

    def tell(self, line: str) -> None:
        """Show something about the client itself."""
        self.show([("class:client", remark(line))])

    async def ask_name(self) -> str | None:
        """A name that the person chooses; ``None`` for any.

        :raises EOFError: if the person leaves.
        """
        session: PromptSession[str] = PromptSession(
            erase_when_done=True, key_bindings=self._keys, style=STYLE
        )
        name = await _typed(session, "Your name (Enter for any): ")
        return name.strip() or None

    async def line(self, name: str) -> str:
        """The next line that is typed.

        :param name: stands before it.
        :raises EOFError: if the person leaves.
        """
        return await _typed(self._session, f"{name}> ")

    def _flush(self) -> None:
        if self._unshown:
            unshown, self._unshown = self._unshown, []
            print_formatted_text(FormattedText(unshown), end="", style=STYLE)


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("c-c")
    def clear_or_leave(event: KeyPressEvent) -> None:
        """Clear the line that is typed; leave if there is none."""
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=EOFError)

    return keys


async def _typed(session: PromptSession[str], prompt: str) -> str:
    # Ctrl-C is a key here; signals from elsewhere are the reactor's.
    message = FormattedText([("class:prompt", prompt)])
    typing = asyncio.ensure_future(session.prompt_async(message, handle_sigint=False))
    try:
        return await Deferred.fromFuture(typing)
    except asyncio.CancelledError:
        # By now the terminal is as it was before.  Twisted has a name of its own for this.
        raise CancelledError from None
