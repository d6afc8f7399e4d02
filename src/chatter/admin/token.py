"""``chatter-admin token NAME``: a new token for somebody who has lost theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatter.admin.arguments import add_command
from chatter.admin.operator_client import OperatorClient
from chatter.admin.output import show

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "token",
        "Make a new token of a user, who has lost theirs; it is shown once.",
        "chatter-admin token alice --label phone",
        _run,
    )
    parser.add_argument("name", metavar="NAME", help="the name of the user")
    parser.add_argument("--label", metavar="TEXT", default="", help="what the token is called")


def _run(options: argparse.Namespace) -> None:
    made = OperatorClient.of(options).post("/token", name=options.name, label=options.label)
    show(options, made, made["token"])
