"""Completion of commands and of names, with the Tab key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from prompt_toolkit.completion import Completer, Completion

from chatter.terminal.commands import COMMANDS, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

_BEFORE_A_NAME = re.compile(
    r'/(?:msg|history|report|(?:un)?(?:mute|ban))\s+((?:"(?:[^"\\]|\\.)*)|[^\s"]\S*|)'
)


class ChatCompleter(Completer):
    """Completes the command or the name before the cursor.

    :param names: the names that are known.
    """

    def __init__(self, names: Callable[[], Iterable[str]]) -> None:
        self._names = names

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002 - every completion is requested with Tab
    ) -> Iterable[Completion]:
        """The commands or names that begin with what stands before the cursor."""
        typed = document.text_before_cursor.lstrip()
        if typed.startswith("/") and " " not in typed:
            return self._commands(typed)
        to_one = _BEFORE_A_NAME.fullmatch(typed)
        if to_one is not None:
            return self._recipients(to_one[1])
        word = document.get_word_before_cursor(WORD=True)
        return self._mentions(word) if word and not typed.startswith("/") else []

    def _commands(self, typed: str) -> Iterable[Completion]:
        for command, (usage, what) in COMMANDS.items():
            if command.startswith(typed):
                takes_more = " " if " " in usage else ""
                yield Completion(command + takes_more, -len(typed), command, what)

    def _recipients(self, typed: str) -> Iterable[Completion]:
        for name in self._known(typed.lstrip('"').replace("\\", "")):
            yield Completion(quoted(name) + " ", -len(typed), name)

    def _mentions(self, typed: str) -> Iterable[Completion]:
        for name in self._known(typed):
            yield Completion(name, -len(typed))

    def _known(self, beginning: str) -> list[str]:
        folded = beginning.casefold()
        return sorted(name for name in self._names() if name.casefold().startswith(folded))
