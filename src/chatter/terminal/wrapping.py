"""Lines broken to the width of a terminal, so that no row of it begins with what others wrote.

A terminal would go on at the first column, where a text that is padded to the width could
begin a row as a message begins.  Here every further row begins with blanks.  Characters are
taken for as wide as any terminal shows them, and joined emoji for several.

What is written from right to left is put between marks (FSI, PDI) that keep a terminal
which knows of directions from turning around more than that.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from prompt_toolkit.utils import get_cwidth

from chatter.terminal.lines import INDENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chatter.terminal.lines import Line

LEAST = 2 * len(INDENT)
"""A terminal is taken for at least so many columns wide."""

_WIDE = "\ufe0f"
_RIGHT_TO_LEFT = {"R", "AL", "AN"}
_ISOLATE, _END = "\u2068", "\u2069"


def wrapped(line: Line, columns: int) -> Line:
    """The line with a break and blanks wherever a terminal so wide would break it."""
    rows: Line = []
    for number, row in enumerate(_rows(line, max(columns, LEAST))):
        if number:
            rows.append(("", "\n"))
        rows += [(style, _isolated(text)) for style, text in _joined(row)]
    return rows


def _rows(line: Line, columns: int) -> Iterator[Line]:
    """The line's characters, row by row, broken behind a blank where there is one."""
    row: Line = []
    room, after_blank = columns, 0
    for style, character in ((style, character) for style, text in line for character in text):
        if character == "\n":
            yield row
            row, room, after_blank = [], columns, 0
            continue
        width = _width(character)
        if width > room and width:
            room = columns - len(INDENT)
            rest = row[after_blank:]
            used = sum(_width(text) for _, text in rest)
            if not after_blank or used + width > room:
                rest, used = [], 0
            yield row[: len(row) - len(rest)]
            row, room, after_blank = [("", INDENT), *rest], room - used, 0
        row.append((style, character))
        room -= width
        if character == " ":
            after_blank = len(row)
    yield row


def _width(character: str) -> int:
    return 1 if character == _WIDE else max(get_cwidth(character), 0)


def _joined(row: Line) -> Line:
    joined: Line = []
    for style, character in row:
        if joined and joined[-1][0] == style:
            joined[-1] = (style, joined[-1][1] + character)
        else:
            joined.append((style, character))
    return joined


def _isolated(text: str) -> str:
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text):
        return f"{_ISOLATE}{text}{_END}"
    return text
