"""How large messages are once they are serialised, and how many of them a response has.

A page is limited by its bytes, too, and not only by the number of its messages: a control
character of a text is six bytes of JSON, so that a thousand texts may have 25 MB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import json

from chatter.protocol.model import MAX_TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chatter.protocol.model import Message

PAGE_BYTES = 1_000_000
"""A response with further messages in it would have more bytes than that."""

_WITHOUT_TEXT = 160
"""A serialised message has at most so many bytes beside its text."""

_ALWAYS_FIT = PAGE_BYTES // (_WITHOUT_TEXT + 6 * MAX_TEXT + 2)


def how_many_fit(messages: Sequence[Message]) -> int:
    """How many messages a response has room for: at least one, if there is one.

    :param messages: in the order in which they are taken.
    """
    count = len(messages)
    if count <= _ALWAYS_FIT:
        return count
    # At most they have so many bytes, which is little in most cases.
    most = 6 * sum([len(message.text) for message in messages]) + _WITHOUT_TEXT * count
    if most <= PAGE_BYTES:
        return count
    room = PAGE_BYTES
    for number, message in enumerate(messages):
        room -= _WITHOUT_TEXT + len(json.encode(message.text))
        if room < 0:
            return max(number, 1)
    return count
