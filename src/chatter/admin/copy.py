"""``chatter-admin --store … copy STORE``: a chat moved to another database."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

from chatter.admin.arguments import add_command, store_of
from chatter.admin.output import show
from chatter.stores.copying import copy
from chatter.stores.registry import check_store, maker_of, without_password
from chatter.stores.sqlite.copying import SQLiteSide
from chatter.stores.sqlite.location import path_of

if TYPE_CHECKING:
    import argparse

    from chatter.stores.copying import Content, Side

_BAR = 40
"""The bar that shows the progress has so many columns."""


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "copy",
        "Copy a whole chat into a new or an empty database, while no server uses either.",
        "chatter-admin --store sqlite:chatter.sqlite copy postgresql://localhost/chat",
        _run,
    )
    help_target = "the store that is filled: sqlite:PATH or postgresql://HOST/DATABASE"
    parser.add_argument("target", metavar="STORE", help=help_target)


def _run(options: argparse.Namespace) -> None:
    location = store_of(options, "copy STORE")
    if location == options.target:
        raise ValueError("A store can't be copied into itself.")
    with closing(_source(location)) as source, closing(_opened(options.target)) as target:
        try:
            copied = copy(source, target, _progress)
        finally:
            _clear_progress()
    names = (("from", location), ("to", options.target))
    shown = [(end, without_password(name)) for end, name in names]
    show(
        options,
        {
            end: {"store": name, "last_id": c.last_id, "rows": c.rows, "checksum": c.checksum}
            for (end, name), c in zip(shown, copied, strict=True)
        },
        "\n".join(
            f"{end:4} {name}: {_described(content)}"
            for (end, name), content in zip(shown, copied, strict=True)
        ),
    )


def _source(location: str) -> Side:
    """The store that is copied, which must be there."""
    if maker_of(location).scheme == "sqlite":
        return SQLiteSide.existing(path_of(location))
    return _opened(location)


def _opened(location: str) -> Side:
    # It says what is missing, such as the driver, and whether a server has the file.
    check_store(location)
    scheme = maker_of(location).scheme
    if scheme == "sqlite":
        return SQLiteSide(path_of(location))
    if scheme in ("postgresql", "postgres"):
        # Not everybody has the driver.
        from chatter.stores.postgres.copying import PostgresSide  # noqa: PLC0415

        return PostgresSide(location)
    raise ValueError(f"A store like {without_password(location)} can't be copied.")


def _described(content: Content) -> str:
    rows = content.rows
    return (
        f"{rows['users']} users, {rows['log']} entries of the log up to {content.last_id}, "
        f"{rows['chats']} chats, checksum {content.checksum}"
    )


def _progress(passed: int, total: int) -> None:
    if sys.stderr.isatty():
        share = passed / total
        bar = "#" * int(_BAR * share)
        line = f"[{bar:{_BAR}}] {share:4.0%}"
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)


def _clear_progress() -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
