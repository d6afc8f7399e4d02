"""What may be sent: the check that is made is the one that the OpenAPI document shows."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import json

from chatter.protocol.errors import InvalidRequest
from chatter.protocol.scalars import MAX_TEXT, Text
from chatter.protocol.validation import checked_text

SCHEMA = json.schema(Text)
SPACES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())


@given(st.text(max_size=8) | st.text(SPACES + "\0x", max_size=4))
@example("x" * MAX_TEXT)
@example("x" * (MAX_TEXT + 1))
@example(SPACES)
def test_a_text_is_checked_as_its_schema_says(text):
    """The pattern is shown, but the check is faster without."""
    if (
        SCHEMA["minLength"] <= len(text) <= SCHEMA["maxLength"]
        and re.search(SCHEMA["pattern"], text) is not None
    ):
        assert checked_text(text) == text
    else:
        with pytest.raises(InvalidRequest):
            checked_text(text)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_half_a_character_is_none(text):
    """What Python's text may hold, and UTF-8 may not."""
    with pytest.raises(InvalidRequest):
        checked_text(text)
