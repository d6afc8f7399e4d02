"""Where the terminal shows its lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from chatter.terminal.lines import Line


class Display(Protocol):
    """Where lines are shown."""

    def show(self, line: Line) -> None:
        """Show a message, or what a command resulted in."""

    def tell(self, line: str) -> None:
        """Show something about the client itself."""
