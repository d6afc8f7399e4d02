"""Messages as lines of a terminal, with nothing in them that a terminal would obey.

What others wrote is shown, never executed: a control character could move the
cursor, set the title or type into the terminal, and an override of the writing
direction could make a line read as something else.  A line break is kept, but what
follows is indented, so that it does not begin as a message does.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from chatter.protocol.model import Message

INDENT = "      "
"""As wide as a time, so that the lines of one message stand below each other."""

_TURNS_THE_LINE = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CONTROLS = {"Cc", "Cs", "Zl", "Zp"}


def harmless(text: str) -> str:
    """The text on one line, with a mark for each character that a terminal would obey."""
    return "".join(map(_harmless_character, text))


def line_of(message: Message, me: int, name_of: Callable[[int], str], now: datetime) -> str:
    """A message as it is shown to one of those who may see it.

    :param me: the id of the user who looks.
    :param name_of: the names of the users in the message.
    :param now: what time it is, in the time zone of whoever looks.
    """

    def named(user_id: int) -> str:
        return "you" if user_id == me else harmless(name_of(user_id))

    if message.recipient_id is None:
        who = f"{harmless(name_of(message.sender_id))}:"
    else:
        who = f"[{named(message.sender_id)} → {named(message.recipient_id)}]"
    text = f"\n{INDENT}".join(map(harmless, message.text.splitlines()))
    return f"{_time_of(message.sent_at, now)} {who} {text}"


def _harmless_character(character: str) -> str:
    if character == "\t":
        return " "
    if character in _TURNS_THE_LINE or unicodedata.category(character) in _CONTROLS:
        return "\N{REPLACEMENT CHARACTER}"
    return character


def _time_of(sent_at: datetime, now: datetime) -> str:
    local = sent_at.astimezone(now.tzinfo)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    return f"{local:%Y-%m-%d %H:%M}"
