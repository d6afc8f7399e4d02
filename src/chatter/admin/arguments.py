"""How each command is described, and the values that its arguments have."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from chatter.protocol.durations import parse_duration
from chatter.stores.registry import maker_of, without_password
from chatter.stores.sqlite.location import path_of

if TYPE_CHECKING:
    from collections.abc import Callable
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


def number(text: str) -> int:
    """The number that an id or a count is.

    :raises argparse.ArgumentTypeError: if it is none.
    """
    if not re.fullmatch("[0-9]{1,19}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return int(text)


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
