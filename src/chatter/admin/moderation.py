"""``chatter-admin mute``, ``unmute``, ``ban`` and ``unban``: what a user may no longer do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatter.admin.arguments import add_command, duration, show, until
from chatter.admin.operator_client import OperatorClient

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the commands."""
    for name, summary in (
        ("mute", "Have a user read only, for some time or for good."),
        ("ban", "Have a user do nothing, for some time or for good; what they have open ends."),
    ):
        parser = add_command(
            commands, name, summary, f"chatter-admin {name} mallory --for 3h --reason spam", _run
        )
        _add_shared(parser)
        parser.add_argument(
            "--for", metavar="TIME", dest="seconds", type=duration, help="90s, 30m, 3h or 7d"
        )
    for name, summary in (
        ("unmute", "Let a user send again."),
        ("unban", "Let a user use the chat again."),
    ):
        parser = add_command(commands, name, summary, f"chatter-admin {name} mallory", _run)
        _add_shared(parser)
        parser.set_defaults(seconds=None)


def _add_shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the name of the user")
    parser.add_argument("--reason", metavar="TEXT", default="", help="for the server's log")


def _run(options: argparse.Namespace) -> None:
    done = OperatorClient.of(options).post(
        "/moderate",
        name=options.name,
        action=options.command,
        seconds=options.seconds,
        reason=options.reason,
    )
    muted, banned = (until(done[f"{what}_until"]) for what in ("muted", "banned"))
    states = [f"{what} {end}" for what, end in (("muted", muted), ("banned", banned)) if end]
    show(options, done, f"{options.name} is {' and '.join(states) or 'free'}.")
