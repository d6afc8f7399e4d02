"""A terminal that knows no escape sequences (``TERM=dumb``): plain lines, in and out."""

from __future__ import annotations

from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from chatter.terminal.lines import remark, text_of
from chatter.terminal.typed_lines import TypedLines
from chatter.terminal.wrapping import wrapped

if TYPE_CHECKING:
    from typing_extensions import Self

    from chatter.terminal.lines import Line


class PlainScreen:
    """Reads lines as the terminal gives them, and prints others as they come.

    :param descriptor: where the lines are read from.
    """

    def __init__(self, reactor: Any, descriptor: int) -> None:
        self._lines = TypedLines(descriptor, reactor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: every line is printed at once."""

    def show(self, line: Line) -> None:
        """Print a message, or what a command resulted in."""
        print(text_of(wrapped(line, get_terminal_size().columns)), flush=True)  # noqa: T201

    def tell(self, line: str) -> None:
        """Print something about the client itself."""
        self.show([("", remark(line))])

    async def ask_name(self) -> str | None:
        """A name that the person chooses; ``None`` for any.

        :raises EOFError: if the person leaves.
        """
        print("Your name (Enter for any): ", end="", flush=True)  # noqa: T201
        return (await self._line()).strip() or None

    async def line(self, name: str) -> str:  # noqa: ARG002 - there is no prompt
        """The next line that is typed.

        :raises EOFError: if the person leaves.
        """
        return await self._line()

    async def _line(self) -> str:
        line = await self._lines.get()
        if line is None:
            raise EOFError
        return line
