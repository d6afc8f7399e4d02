"""A log file that can be opened anew, after a program like logrotate has renamed it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def append_to(path: str) -> Any:
    """Open a file for appending; it is made, readable by its owner only, if it is missing."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    # Without a buffer, so that nothing waits in it when the disk is full.
    return os.fdopen(descriptor, "ab", buffering=0)


class LogFile:
    """What lines are written to.

    :param open_file: opens the file by its name, and makes it if it is missing.
    """

    def __init__(self, open_file: Callable[[], Any]) -> None:
        self._open_file = open_file
        self._file = open_file()

    def write(self, text: str) -> None:
        """Append some lines.

        :raises OSError: if the disk is full, for instance.
        """
        self._file.write(text.encode())

    def flush(self) -> None:
        """Do nothing: what is written is not held back."""

    def reopen(self) -> None:
        """Go on in the file that has the name now.

        :raises OSError: if it can't be opened; the file that is open stays in use.
        """
        renamed, self._file = self._file, self._open_file()
        renamed.close()

    def close(self) -> None:
        """Close it."""
        self._file.close()
