"""``chatter-admin withdraw ID``: a message taken out of the chat, whosever it is."""

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
        "withdraw",
        "Withdraw a message for everybody, for good: its text is not kept.",
        "chatter-admin --socket /run/chatter/admin.sock withdraw 1234",
        _run,
    )
    parser.add_argument("message_id", metavar="ID", type=number, help="the id of the message")


def _run(options: argparse.Namespace) -> None:
    done = OperatorClient.of(options).post("/withdraw", message_id=options.message_id)
    show(options, done, f"Message {done['message_id']} is withdrawn.")
