"""``chatter-admin bans``: the addresses from which nobody may use the chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatter.admin.arguments import add_command
from chatter.admin.operator_client import OperatorClient
from chatter.admin.output import show, table, until

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command."""
    add_command(
        commands,
        "bans",
        "List the addresses that are banned; the command users shows which users are.",
        "chatter-admin bans",
        _run,
    )


def _run(options: argparse.Namespace) -> None:
    found = OperatorClient.of(options).post("/banned-addresses")
    rows = [(banned["network"], until(banned["until"])) for banned in found["addresses"]]
    show(options, found, table(("address", "banned"), rows))
