"""``chatter-admin --store … restore FILE``: a backup put in the place of the database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatter.admin.arguments import add_command, sqlite_path, store_of
from chatter.admin.output import show
from chatter.stores.sqlite.backups import restore

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "restore",
        "Put a backup in the place of a SQLite database that no server uses; that is kept.",
        "chatter-admin --store sqlite:chatter.sqlite restore backup.sqlite",
        _run,
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the backup; it is kept, too")


def _run(options: argparse.Namespace) -> None:
    store = store_of(options, "restore FILE")
    path = sqlite_path(store, "Use pg_restore or psql for a PostgreSQL database.")
    (users, entries), aside = restore(options.file, path)
    if aside is not None and aside.is_relative_to(Path.cwd()):
        aside = aside.relative_to(Path.cwd())
    text = f"{path}: {users} users, {entries} entries of the log."
    if aside is not None:
        text += f"\nWhat was there before is now {aside}."
    result = {"users": users, "entries": entries, "aside": None if aside is None else str(aside)}
    show(options, result, text)
