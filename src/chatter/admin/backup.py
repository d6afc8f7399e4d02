"""``chatter-admin backup FILE``: a copy of the database, while a server serves.

The server makes it, and it belongs to the server's user; with ``--store`` this process does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatter.admin.arguments import add_command, sqlite_path
from chatter.admin.operator_client import OperatorClient
from chatter.admin.output import show
from chatter.stores.sqlite.backups import back_up

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "backup",
        "Copy a SQLite database into a file, at any time, also while a server uses it.",
        "chatter-admin backup backup.sqlite",
        _run,
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        help="it must not exist; the server makes it, or with --store this command itself",
    )


def _run(options: argparse.Namespace) -> None:
    if options.store is None:
        client = OperatorClient.of(options)
        done = client.post("/backup", file=str(options.file.absolute()))
        show(options, done, _described(options.file, done["users"], done["entries"]))
        return
    path = sqlite_path(options.store, "Use pg_dump for a PostgreSQL database.")
    users, entries = back_up(path, options.file)
    show(
        options,
        {"file": str(options.file), "users": users, "entries": entries},
        _described(options.file, users, entries),
    )


def _described(file: Path, users: int, entries: int) -> str:
    return f"{file}: {users} users, {entries} entries of the log."
