"""The kinds of entries: what is looked at of each entry, whatever its kind."""

from __future__ import annotations

from typing import get_args

import pytest

from chatter.log.entries import Entry
from chatter.protocol.model import Message


@pytest.mark.parametrize("kind", [kind for kind in get_args(Entry) if kind is not Message])
def test_an_entry_that_is_no_message_shows_that_at_a_glance(kind):
    """Where most entries are new messages, one look finds the others."""
    assert kind.edited_at is True
    assert hasattr(kind, "recipient_id")
    assert hasattr(kind, "text")
