"""What the commands print at their end."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

from prompt_toolkit.utils import get_cwidth

from chatter.protocol.scalars import NEEDED_IN_NAMES
from chatter.system_errors import reason_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

_NEEDED = re.compile(f"[{NEEDED_IN_NAMES}]")


class OutputClosed(Exception):
    """Nobody reads what the command prints any more."""


def until(moment: str | None) -> str:
    """Until when something lasts, as it is shown; nothing if it is not there."""
    if moment is None:
        return ""
    return "for good" if moment.startswith("9999-") else f"until {whole_seconds(moment)}"


def whole_seconds(moment: str) -> str:
    """A time of a response, as it is shown: without fractions of a second."""
    return re.sub(r"\.\d+Z$", "Z", moment)


def show(options: argparse.Namespace, result: Mapping[str, object], text: str) -> None:
    """Print a result, as JSON or as text.

    :raises OutputClosed: if nobody reads it.
    :raises ValueError: if it can't be written.
    """
    line = f"{json.dumps(result) if options.json else text}\n"
    print_out(line.encode(sys.stdout.encoding, "backslashreplace"))


def print_out(data: bytes) -> None:
    """Print bytes, at once.

    :raises OutputClosed: if nobody reads them.
    :raises ValueError: if they can't be written.
    """
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise OutputClosed from None
    except OSError as error:
        raise ValueError(f"The result can't be printed: {reason_of(error)}.") from None


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows as lines, with columns as wide as needed; without a head if that is empty.

    What a terminal would act on, in a text that somebody has written, is left out.  Joiners stay:
    without them, a name that is copied from the table is another one.
    """
    lines = [[_printable(str(cell)) for cell in row] for row in rows]
    if any(head):
        lines.insert(0, list(head))
    widths = [max(map(get_cwidth, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(_padded(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _padded(cell: str, width: int) -> str:
    """A cell as wide as its column: some letters take two columns of a terminal, some none."""
    return cell + " " * (width - get_cwidth(cell))


def _printable(text: str) -> str:
    return "".join(
        letter if letter.isprintable() or _NEEDED.fullmatch(letter) else " " for letter in text
    )
