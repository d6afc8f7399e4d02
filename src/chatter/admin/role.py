"""``chatter-admin role NAME moderator|member``: who moderates a chat."""

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
        "role",
        "Make a user a moderator, or a member again.",
        "chatter-admin role alice moderator",
        _run,
    )
    parser.add_argument("name", metavar="NAME", help="the name of the user")
    parser.add_argument("role", choices=("moderator", "member"), help="the new role")


def _run(options: argparse.Namespace) -> None:
    done = OperatorClient.of(options).post("/role", name=options.name, role=options.role)
    show(options, done, f"{options.name} is a {done['role']}.")
