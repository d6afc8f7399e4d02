"""The newest stretch of the log: what it knows of all that is in it, without looking."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from msgspec.structs import replace

from chatter.log.entries import MessageChange
from chatter.log.recent import RecentLog
from chatter.protocol.model import Message

NOW = datetime(2026, 11, 26, tzinfo=timezone.utc)


def message(message_id, text="x"):
    return Message(message_id, 1, None, text, NOW)


def edit(change_id, message_id, text="y"):
    return MessageChange(change_id, 1, None, message_id, text, 1, NOW)


@pytest.mark.parametrize("together", [False, True])
def test_it_knows_up_to_where_messages_were_edited(together):
    """However the edit comes: behind its message, beside it, or in it."""
    recent = RecentLog(0)
    first = [message(1), message(2), message(3)]
    if together:
        recent.extend([*first, edit(4, 2)])
    else:
        recent.extend(first)
        assert recent.edited_until == 0
        recent.extend([edit(4, 2)])
    assert recent.edited_until == 2
    recent.extend([replace(message(5), edited_at=NOW), message(6)])
    assert recent.edited_until == 5
    recent.extend([edit(7, 1), message(8)])
    assert recent.edited_until == 5, "a later edit of an earlier message moves nothing"
    recent.note_edited([message(9)])
    assert recent.edited_until == 5
    recent.note_edited([replace(message(9), edited_at=NOW), message(10)])
    assert recent.edited_until == 9


def test_it_knows_how_long_its_longest_text_is():
    """A text counts as long as it is here, and that of an edit, too."""
    recent = RecentLog(0, capacity=1000)
    recent.extend([message(1, "x" * 700), message(2)])
    assert recent.longest_text == 700
    recent.extend([message(3, "x" * 400), message(4, "x" * 500)])
    assert recent.longest_text == 700, "the first two are still here"
    recent.extend([edit(5, 4, "x" * 600)])
    assert (recent.complete_after, recent.longest_text) == (2, 600)
    recent.extend([message(6, "x" * 800)])
    assert recent.longest_text == 800
    recent.extend([message(7)])
    recent.extend([message(8, "x" * 1000)])
    recent.extend([message(9)])
    assert recent.longest_text == 1000


def test_it_has_the_newest_messages_if_there_are_enough():
    """Fewer than that may be the end of older ones that only the store has."""
    recent = RecentLog(10, capacity=1000)
    assert recent.general(None, 1) is None
    recent.extend([message(11), edit(12, 5), message(13), message(14)])
    assert [m.id for m in recent.general(None, 2) or ()] == [13, 14]
    assert [m.id for m in recent.general(14, 2) or ()] == [11, 13]
    assert recent.general(14, 3) is None
    assert recent.general(11, 1) is None
    recent.extend([edit(15, 14, None)])
    assert [m.id for m in recent.general(None, 2) or ()] == [11, 13]
