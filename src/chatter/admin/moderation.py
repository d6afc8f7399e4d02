"""``chatter-admin mute``, ``unmute``, ``ban`` and ``unban``: what users may no longer do.

``ban`` and ``unban`` take an address, too.  A name may look like one, so that is an option.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatter.admin.arguments import add_command, duration
from chatter.admin.operator_client import OperatorClient
from chatter.admin.output import show, until

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
        _add_shared(parser, name)
        parser.add_argument(
            "--for", metavar="TIME", dest="seconds", type=duration, help="90s, 30m, 3h or 7d"
        )
        parser.add_argument("--reason", metavar="TEXT", default="", help="for the server's log")
    for name, summary in (
        ("unmute", "Let a user send again."),
        ("unban", "Let a user use the chat again."),
    ):
        parser = add_command(commands, name, summary, f"chatter-admin {name} mallory", _run)
        _add_shared(parser, name)
        parser.set_defaults(seconds=None, reason="")


def _add_shared(parser: argparse.ArgumentParser, name: str) -> None:
    if name in ("mute", "unmute"):
        parser.add_argument("name", metavar="NAME", help="the name of the user")
        parser.set_defaults(address=None)
        return
    one = parser.add_mutually_exclusive_group(required=True)
    one.add_argument("name", metavar="NAME", nargs="?", help="the name of the user")
    one.add_argument(
        "--address", metavar="NETWORK", help="instead, an address or a network: 203.0.113.0/24"
    )


def _run(options: argparse.Namespace) -> None:
    client = OperatorClient.of(options)
    if options.address is not None:
        _run_for_address(client, options)
        return
    done = client.post(
        "/moderate",
        name=options.name,
        action=options.command,
        seconds=options.seconds,
        reason=options.reason,
    )
    muted, banned = (until(done[f"{what}_until"]) for what in ("muted", "banned"))
    states = [f"{what} {end}" for what, end in (("muted", muted), ("banned", banned)) if end]
    show(options, done, f"{options.name} is {' and '.join(states) or 'free'}.")


def _run_for_address(client: OperatorClient, options: argparse.Namespace) -> None:
    if options.command == "ban":
        done = client.post(
            "/ban-address",
            network=options.address,
            seconds=options.seconds,
            reason=options.reason,
        )
        show(options, done, f"{done['network']} is banned {until(done['until'])}.")
    else:
        done = client.post("/unban-address", network=options.address)
        # A server that began before an upgrade does not say it.
        around = done.get("part_of")
        state = f"not banned any more, but it is part of {around}, which is" if around else "free"
        show(options, done, f"{options.address} is {state}.")
