"""Long texts at a terminal: the beginning is shown, and the rest when it is wanted.

A text may have thousands of rows, which would push all that others say off the screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from chatter.protocol.model import Message

_MOST_LINES = 20
_MOST_CHARACTERS = 1600


class LongTexts:
    """Shortens messages.

    :ivar last: the last message that was shortened, as it is.
    """

    def __init__(self) -> None:
        self.last: Message | None = None

    def forget(self, message_id: int) -> None:
        """Keep a message no longer, which is not as it was."""
        if self.last is not None and self.last.id == message_id:
            self.last = None

    def shortened(self, message: Message) -> Message:
        """The message, of which a person sees the beginning at first if it is long."""
        lines = message.text.splitlines()
        if len(lines) <= _MOST_LINES and len(message.text) <= _MOST_CHARACTERS:
            return message
        self.last = message
        beginning = "\n".join(lines[:_MOST_LINES])[:_MOST_CHARACTERS]
        rest = len(message.text) - len(beginning)
        return replace(message, text=f"{beginning}\n… {rest} more characters: /more shows them")
