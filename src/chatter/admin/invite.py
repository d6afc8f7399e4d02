"""``chatter-admin invite``: an invitation to a chat that is not open to everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatter.admin.arguments import add_command, duration, number
from chatter.admin.operator_client import OperatorClient
from chatter.admin.output import show

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "invite",
        "Make an invitation, with which people join a chat of twistd chatter --join invited.",
        "chatter-admin invite --uses 30 --for 7d",
        _run,
    )
    parser.add_argument("--uses", metavar="N", type=number, default=1, help="how many [default: 1]")
    parser.add_argument(
        "--for", metavar="TIME", dest="seconds", type=duration, help="90s, 30m, 3h or 7d"
    )


def _run(options: argparse.Namespace) -> None:
    made = OperatorClient.of(options).post("/invite", uses=options.uses, seconds=options.seconds)
    show(options, made, made["invitation"])
