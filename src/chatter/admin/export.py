"""``chatter-admin export NAME FILE``: what the chat has of a user."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatter.admin.arguments import add_command, show
from chatter.admin.operator_client import OperatorClient

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "export",
        "Write what the chat has of a user into a file of JSON lines, but the texts of private "
        "messages, which only the users themselves can export.",
        "chatter-admin export alice alice.jsonl",
        _run,
    )
    parser.add_argument("name", metavar="NAME", help="the name of the user")
    parser.add_argument("file", metavar="FILE", type=Path, help="it must not exist")


def _run(options: argparse.Namespace) -> None:
    file: Path = options.file
    lines = OperatorClient.of(options).download("/export", file, name=options.name)
    show(options, {"file": str(file), "lines": lines}, f"{file}: {lines} lines.")
