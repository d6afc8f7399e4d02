"""How large messages are once they are serialised, and how many of them a response has.

A page is limited by its bytes, too, and not only by the number of its messages: a control
character of a text is six bytes of JSON, so that a thousand texts may have 25 MB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import json

from chatter.protocol.model import MAX_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chatter.protocol.model import Message

PAGE_BYTES = 1_000_000
"""A response with further messages in it would have more bytes than that."""

_WITHOUT_TEXT = 160
"""A serialised message has at most so many bytes beside its text."""

_ALWAYS_FIT = PAGE_BYTES // (_WITHOUT_TEXT + 6 * MAX_TEXT + 2)


def how_many_fit(messages: Iterable[Message], count: int) -> int:
    """How many messages a response has room for: at least one, if there is one.

    :param messages: in the order in which they are taken.
    :param count: how many they are.
    """
    if count <= _ALWAYS_FIT:
        return count
    room = PAGE_BYTES
    for number, message in enumerate(messages):
        # What it can have at most is known at once; what it has costs serialising it.
        room -= _WITHOUT_TEXT + _size_of(message.text)
        if room < 0:
            return max(number, 1)
    return count


def _size_of(text: str) -> int:
    return len(text) + 2 if text.isascii() and text.isprintable() else len(json.encode(text))
