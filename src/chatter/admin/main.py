"""``chatter-admin COMMAND``: what an operator does with a server, or with its database."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import suppress
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
from chatter.admin.output import OutputClosed
from chatter.interrupts import handle_interrupts
from chatter.protocol.errors import StoreUnavailable
from chatter.standard_streams import open_standard_streams
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

_OUTPUT_CLOSED = 141
"""The status of a command whose output nobody reads any more, as shells have it for SIGPIPE."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Do what the arguments say, and exit: with 1 after an error, which is one line."""
    open_standard_streams()
    handle_interrupts()
    # As SIGINT: what is half done is removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(run(arguments))
    finally:
        # Python itself would report that nobody reads what is left, such as a help text.
        with suppress(OSError):
            sys.stdout.close()


def run(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; returns the status to exit with."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, StoreUnavailable) as error:
        print(f"chatter-admin {options.command}: {_detail_of(error)}", file=sys.stderr)
        return 1
    except OutputClosed:
        return _OUTPUT_CLOSED
    except KeyboardInterrupt:
        print(f"chatter-admin {options.command}: interrupted.", file=sys.stderr)
        return _INTERRUPTED
    return 0


def _detail_of(error: ValueError | StoreUnavailable) -> str:
    """What is wrong, in one line."""
    if isinstance(error, UnicodeEncodeError):
        return "An argument is not text in UTF-8."
    return error.detail if isinstance(error, StoreUnavailable) else str(error)


def parser() -> argparse.ArgumentParser:
    """What the command line may have."""
    made = argparse.ArgumentParser(
        prog="chatter-admin", description="Look after a chat: its server, and its database."
    )
    place = made.add_mutually_exclusive_group()
    place.add_argument(
        "--socket",
        metavar="PATH",
        help="the server's endpoint for operators (twistd chatter --admin): a UNIX socket, or a "
        f"port of 127.0.0.1 [default: {' or '.join(PLACES)}, whichever is there]",
    )
    place.add_argument(
        "--store",
        metavar="STORE",
        help="for backup, restore and copy without a server: sqlite:PATH, or for copy also "
        "postgresql://HOST/DATABASE",
    )
    made.add_argument("--version", action="version", version=f"chatter {__version__}")
    commands = made.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_to(commands)
    return made
