"""Pages made of what was read of the log: as much as a response may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from chatter.log.entries import for_readers, messages_of
from chatter.protocol.model import Message, Page
from chatter.protocol.response_size import how_many_fit
from chatter.protocol.scalars import MAX_TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chatter.log.entries import Entry


def has_news(page: Page) -> bool:
    """Whether there is anything in a page for its reader."""
    return bool(page.messages or page.changes or page.gap)


def page_of(
    found: Sequence[Entry], until: int, limit: int, changes: bool, longest_text: int = MAX_TEXT
) -> Page:
    """A page of what comes after a cursor.

    :param found: some more entries than the page may have, if there are more.
    :param until: the id up to which the log was read, if that is nothing.
    :param changes: whether there may be changes among them.
    :param longest_text: none of their texts has more characters.
    """
    if not found:
        return Page([], until, more=False)
    count = min(limit, how_many_fit(found, longest_text))
    more = len(found) > count
    entries = found[:count] if more else found
    if not changes:
        # Then all of them are messages.
        return Page(entries, entries[-1].id, more)  # type: ignore[arg-type]
    messages = messages_of(entries)
    page = Page(messages, entries[-1].id, more)
    if len(messages) == len(entries):
        return page
    made = [for_readers(entry) for entry in entries if not isinstance(entry, Message)]
    return replace(page, changes=made)
