"""``chatter-admin COMMAND``: what an operator does with a server, or with its database."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import TYPE_CHECKING

from chatter.admin import (
    backup,
    bans,
    copy,
    erase,
    export,
    invite,
    moderation,
    reports,
    restore,
    revoke,
    role,
    stats,
    token,
    tokens,
    users,
    withdraw,
)
from chatter.admin.operator_client import PLACES
from chatter.protocol.errors import StoreUnavailable
from chatter.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

_COMMANDS = (
    users,
    stats,
    role,
    moderation,
    bans,
    reports,
    withdraw,
    tokens,
    token,
    revoke,
    invite,
    export,
    erase,
    backup,
    restore,
    copy,
)
"""In the order of ``--help``."""

_INTERRUPTED = 130
"""The status of a command that a signal has ended, as shells have it for SIGINT."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Do what the arguments say, and exit: with 1 after an error, which is one line."""
    # As SIGINT: what is half done is removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; returns the status to exit with."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, StoreUnavailable) as error:
        detail = error.detail if isinstance(error, StoreUnavailable) else str(error)
        print(f"chatter-admin {options.command}: {detail}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"chatter-admin {options.command}: interrupted.", file=sys.stderr)
        return _INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chatter-admin", description="Look after a chat: its server, and its database."
    )
    parser.add_argument(
        "--socket",
        metavar="PATH",
        help="the server's endpoint for operators (twistd chatter --admin): a UNIX socket, or a "
        f"port of 127.0.0.1 [default: {' or '.join(PLACES)}, whichever is there]",
    )
    parser.add_argument("--version", action="version", version=f"chatter {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_to(commands)
    return parser
