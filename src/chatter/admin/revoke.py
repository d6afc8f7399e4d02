"""``chatter-admin revoke NAME``: takes all tokens from a user, or one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatter.admin.arguments import add_command, number
from chatter.admin.operator_client import OperatorClient
from chatter.admin.output import show

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "revoke",
        "Revoke a token of a user, or all of them; what is open with them ends.",
        "chatter-admin revoke alice --id 12",
        _run,
    )
    parser.add_argument("name", metavar="NAME", help="the name of the user")
    parser.add_argument("--id", metavar="ID", type=number, help="only the token with this id")


def _run(options: argparse.Namespace) -> None:
    done = OperatorClient.of(options).post("/revoke", name=options.name, id=options.id)
    if options.id is None:
        show(options, done, f"All tokens of {options.name} are revoked.")
    else:
        show(options, done, f"Token {options.id} of {options.name} is revoked.")
