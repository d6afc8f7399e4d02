"""``chatter-admin stats``: a server in a few numbers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from chatter.admin.arguments import add_command
from chatter.admin.operator_client import OperatorClient
from chatter.admin.output import show, table, whole_seconds

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command."""
    add_command(
        commands,
        "stats",
        "Show a server that runs in a few numbers.",
        "chatter-admin --socket /run/chatter/admin.sock stats --json",
        _run,
    )


def _run(options: argparse.Namespace) -> None:
    stats = OperatorClient.of(options).get("/stats")
    rows = [(name.replace("_", " "), _shown(name, value)) for name, value in stats.items()]
    show(options, stats, table(("", ""), rows))


def _shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "uptime":
        return str(timedelta(seconds=value))
    return whole_seconds(str(value))
