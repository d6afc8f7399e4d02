"""Docstrings, as ``make docs`` needs them; that itself takes too long for each run."""

from __future__ import annotations

import re
from pathlib import Path

import chatter

SOURCE = Path(chatter.__file__).parent
SHORT_LINK = re.compile(r":[a-z]+:`(?:[~.]|(?!chatter)\w+\.\w+\.)[^`]*`")


def test_links_name_what_they_lead_to_in_full():
    """Pydoctor knows no ``~`` and no leading dot, and nothing outside of chatter."""
    found = [
        f"{path.relative_to(SOURCE)}: {link}"
        for path in sorted(SOURCE.rglob("*.py"))
        for link in SHORT_LINK.findall(path.read_text())
    ]
    assert found == []
