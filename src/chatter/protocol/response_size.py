"""How large messages are once they are serialised, and how many of them a response has.

A page is limited by its bytes, too, and not only by the number of its messages: a control
character of a text is six bytes of JSON, so that a thousand texts may have 25 MB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import json

from chatter.protocol.scalars import MAX_TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE_BYTES = 1_000_000
"""A response with further messages in it would have more bytes than that."""

_WITHOUT_TEXT = 200
"""A serialised entry has at most so many bytes beside its text."""


class _Entry(Protocol):
    """A message, or a change of one."""

    @property
    def text(self) -> str | None:
        """What it says, if anything."""


def how_many_fit(
    entries: Sequence[_Entry], longest_text: int = MAX_TEXT, most_bytes: int = PAGE_BYTES
) -> int:
    """How many messages a response has room for: at least one, if there is one.

    :param entries: messages and changes in the order in which they are taken.
    :param longest_text: none of their texts has more characters.
    :param most_bytes: so many bytes all of them may have.
    """
    count = len(entries)
    # A character has at most six bytes: most pages fit, whatever is in them.
    if count * (_WITHOUT_TEXT + 6 * longest_text + 2) <= most_bytes:
        return count
    most = 6 * sum([len(entry.text or "") for entry in entries]) + _WITHOUT_TEXT * count
    if most <= most_bytes:
        return count
    left = most_bytes
    for number, entry in enumerate(entries):
        left -= _WITHOUT_TEXT + len(json.encode(entry.text))
        if left < 0:
            return max(number, 1)
    return count
