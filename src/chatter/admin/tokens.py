"""``chatter-admin tokens NAME``: which tokens a user has, without the secrets."""

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
        "tokens",
        "List the tokens of a user, when each was made and was used last.",
        "chatter-admin tokens alice",
        _run,
    )
    parser.add_argument("name", metavar="NAME", help="the name of the user")


def _run(options: argparse.Namespace) -> None:
    found = OperatorClient.of(options).post("/tokens", name=options.name)
    rows = [
        (
            token["id"],
            token["label"],
            whole_seconds(token["created_at"] or ""),
            whole_seconds(token["seen_at"]),
            whole_seconds(token["expires_at"] or "never"),
        )
        for token in found["tokens"]
    ]
    show(options, found, table(("id", "label", "made", "last used", "ends if not used"), rows))
