"""What the commands share: how each is described, and what it prints at its end."""

from __future__ import annotations

import argparse
import json
import re
import sys
from typing import TYPE_CHECKING, Any

from prompt_toolkit.utils import get_cwidth

from chatter.protocol.durations import parse_duration
from chatter.stores.registry import maker_of, without_password
from chatter.stores.sqlite.location import path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


def add_command(
    commands: Any, name: str, summary: str, example: str, run: Callable[[argparse.Namespace], None]
) -> argparse.ArgumentParser:
    """Add a command to the parser's.

    :param summary: one line.
    :param example: a whole call of it.
    :param run: does it, with the options that were given.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.set_defaults(run=run)
    return parser


class OutputClosed(Exception):
    """Nobody reads what the command prints any more."""


def store_of(options: argparse.Namespace, usage: str) -> str:
    """The store that ``--store`` names.

    :param usage: the command with its arguments, as it is written with the option.
    :raises ValueError: if the option is not given.
    """
    if options.store is None:
        raise ValueError(f"name the store: chatter-admin --store sqlite:PATH {usage}")
    location: str = options.store
    return location


def sqlite_path(location: str, instead: str) -> Path:
    """The path of a SQLite store.

    :param instead: what to do for a PostgreSQL database.
    :raises ValueError: if the location is not that of a SQLite store.
    """
    scheme = maker_of(location).scheme
    if scheme == "sqlite":
        return path_of(location)
    if scheme.startswith("postgres"):
        raise ValueError(instead)
    raise ValueError(f"{without_password(location)} is no database on a disk.")


def duration(text: str) -> int:
    """The seconds in a duration such as ``30m``, ``3h`` or ``7d``.

    :raises argparse.ArgumentTypeError: if it is none, or nothing.
    """
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None
    if not seconds:
        raise argparse.ArgumentTypeError("a duration is a second at least")
    return seconds


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
        raise ValueError(f"The result can't be printed: {error.strerror}.") from None


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows as lines, with columns as wide as needed; without a head if that is empty.

    What a terminal would act on, in a text that somebody has written, is left out.
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
    return "".join(letter if letter.isprintable() else " " for letter in text)
