"""The standard streams of a command, also where whoever started it has closed them.

Python has ``None`` for a stream that is closed, and what is opened next gets its number: lines
would be read from a socket, and texts printed into a database.
"""

from __future__ import annotations

import os
import sys


def open_standard_streams() -> None:
    """Have streams that are closed bring nothing, and take what nobody wants."""
    for descriptor, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            discard(descriptor)
            setattr(sys, name, os.fdopen(descriptor, mode, closefd=False))


def discard(descriptor: int) -> None:
    """Have nothing come from a descriptor any more, and nothing leave by it."""
    null = os.open(os.devnull, os.O_RDWR)
    if null != descriptor:
        os.dup2(null, descriptor)
        os.close(null)
