"""``chatter-admin erase NAME``: a user who leaves for good."""

from __future__ import annotations

import sys
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
        "erase",
        "Erase a user for good: withdraw all messages, and let nobody have the name again.",
        "chatter-admin erase alice",
        _run,
    )
    parser.add_argument("name", metavar="NAME", help="the name of the user")


def _run(options: argparse.Namespace) -> None:
    if sys.stdin.isatty():
        print("It can't be undone. To erase the user, type the name again: ", end="", flush=True)
        if sys.stdin.readline().rstrip("\n") != options.name:
            raise ValueError("That is another name. Nothing was erased.")
    done = OperatorClient.of(options).post("/erase", name=options.name)
    show(options, done, f"{options.name} is erased.")
