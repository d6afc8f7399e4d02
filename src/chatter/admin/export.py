"""``chatter-admin export NAME [FILE]``: what the chat has of a user."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatter.admin.arguments import add_command
from chatter.admin.operator_client import OperatorClient
from chatter.admin.output import print_out, show
from chatter.system_errors import reason_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "export",
        "Write what the chat has of a user, as lines of JSON, without the texts of private "
        "messages, which only the users themselves can export.",
        "chatter-admin export alice alice.jsonl",
        _run,
    )
    help_file = "where to write it, a new file; without it, it is printed"
    parser.add_argument("name", metavar="NAME", help="the name of the user")
    parser.add_argument("file", metavar="FILE", type=Path, nargs="?", help=help_file)


def _run(options: argparse.Namespace) -> None:
    client = OperatorClient.of(options)
    file: Path | None = options.file
    if file is None:
        client.download("/export", print_out, name=options.name)
        return
    with new_file(file) as write:
        lines = client.download("/export", write, name=options.name)
    show(options, {"file": str(file), "lines": lines}, f"{file}: {lines} lines.")


@contextmanager
def new_file(path: Path) -> Iterator[Callable[[bytes], None]]:
    """Writes into a file that was not there, of its owner's only; removes it if the block fails.

    :raises ValueError: if it is there, or can't be written.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise ValueError(f"{reason_of(error)}.") from None
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:

            def write(data: bytes) -> None:
                rest = memoryview(data)
                try:
                    while rest:
                        rest = rest[file.write(rest) :]
                except OSError as error:
                    raise ValueError(f"{path}: {reason_of(error)}.") from None

            yield write
    except BaseException:
        path.unlink()
        raise
