"""``chatter-admin users``: who has joined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatter.admin.arguments import add_command
from chatter.admin.operator_client import OperatorClient
from chatter.admin.output import show, table, until, whole_seconds

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "users",
        "List the users of a server that runs, by id.",
        "chatter-admin --socket /run/chatter/admin.sock users --after 200",
        _run,
    )
    parser.add_argument("--after", metavar="ID", default=0, help="only users with a larger id")
    parser.add_argument("--limit", metavar="N", default=100, help="so many, at most 1000")


def _run(options: argparse.Namespace) -> None:
    found = OperatorClient.of(options).get("/users", after=options.after, limit=options.limit)
    rows = [
        (
            user["id"],
            user["name"],
            "yes" if user["online"] else "",
            whole_seconds(user["last_seen"]),
            user["role"],
            until(user["muted_until"]),
            until(user["banned_until"]),
        )
        for user in found["users"]
    ]
    text = table(("id", "name", "online", "last seen", "role", "muted", "banned"), rows)
    if found["more"]:
        text += f"\nThere are more: --after {rows[-1][0]}"
    show(options, found, text)
