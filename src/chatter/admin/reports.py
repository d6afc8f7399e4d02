"""``chatter-admin reports``: what users want somebody to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatter.admin.arguments import add_command
from chatter.admin.operator_client import OperatorClient
from chatter.admin.output import show, table, whole_seconds

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "reports",
        "List the messages that users have reported, newest report first.",
        "chatter-admin reports --limit 20",
        _run,
    )
    parser.add_argument("--before", metavar="ID", help="only reports with a smaller id")
    parser.add_argument("--limit", metavar="N", default=50, help="so many, at most 100")


def _run(options: argparse.Namespace) -> None:
    query = {"limit": options.limit}
    if options.before is not None:
        query["before"] = options.before
    found = OperatorClient.of(options).get("/reports", **query)
    rows = [
        (
            report["id"],
            whole_seconds(report["at"]),
            report["reporter_id"],
            report["reason"],
            report["message"]["id"],
            report["message"]["sender_id"],
            "(private)" if report["message"]["recipient_id"] else report["message"]["text"],
        )
        for report in found["reports"]
    ]
    text = table(("id", "at", "by user", "reason", "message", "of user", "text"), rows)
    if found["more"]:
        text += f"\nThere are more: --before {rows[-1][0]}"
    show(options, found, text)
