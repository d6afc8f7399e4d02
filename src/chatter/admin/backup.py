"""``chatter-admin backup FROM FILE``: a copy of the database, while a server serves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatter.admin.arguments import add_command, show, sqlite_path
from chatter.stores.sqlite.backups import back_up

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "backup",
        "Copy a SQLite database into a file, at any time, also while a server uses it.",
        "chatter-admin backup sqlite:chatter.sqlite backup.sqlite",
        _run,
    )
    parser.add_argument("source", metavar="FROM", help="the store, sqlite:PATH")
    parser.add_argument("file", metavar="FILE", type=Path, help="the copy; it must not exist")


def _run(options: argparse.Namespace) -> None:
    path = sqlite_path(options.source, "Use pg_dump for a PostgreSQL database.")
    users, entries = back_up(path, options.file)
    show(
        options,
        {"file": str(options.file), "users": users, "entries": entries},
        f"{options.file}: {users} users, {entries} entries of the log.",
    )
