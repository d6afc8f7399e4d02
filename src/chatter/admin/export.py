"""``chatter-admin export NAME [FILE]``: what the chat has of a user."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatter.admin.arguments import add_command, print_out, show
from chatter.admin.operator_client import OperatorClient, new_file

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "export",
        "Write what the chat has of a user, as lines of JSON, but the texts of private "
        "messages, which only the users themselves can export.",
        "chatter-admin export alice alice.jsonl",
        _run,
    )
    help_file = "where to write it, a new file; without it, it is printed"
    parser.add_argument("name", metavar="NAME", help="the name of the user")
    parser.add_argument("file", metavar="FILE", type=Path, nargs="?", help=help_file)


def _run(options: argparse.Namespace) -> None:
    client = OperatorClient.of(options)
    file: Path | None = options.file
    if file is None:
        client.download("/export", print_out, name=options.name)
        return
    with new_file(file) as write:
        lines = client.download("/export", write, name=options.name)
    show(options, {"file": str(file), "lines": lines}, f"{file}: {lines} lines.")
