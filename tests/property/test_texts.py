"""What may be sent: the check that is made is the one that the type describes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import ValidationError, convert

from chatter.checks import checked_text
from chatter.errors import InvalidRequest
from chatter.model import MAX_TEXT, Text

SPACES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())


@given(st.text(max_size=8) | st.text(SPACES + "\0x", max_size=4))
@example("x" * MAX_TEXT)
@example("x" * (MAX_TEXT + 1))
@example(SPACES)
def test_a_text_is_checked_as_its_type_says(text):
    """The type has a pattern, which the OpenAPI document shows; the check is faster."""
    try:
        convert(text, Text)
    except ValidationError:
        with pytest.raises(InvalidRequest):
            checked_text(text)
    else:
        assert checked_text(text) == text
