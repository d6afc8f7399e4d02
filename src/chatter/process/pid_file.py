"""The pid file of ``twistd``, where what it does with it is not enough.

``twistd`` refuses to start when a process has the id in its pid file, whichever it is.
After a crash that may be any other process, and in a container it is often this one.
A start that fails says so first and removes its pid file then, so that the next start may
still find it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping


def remove_stale_pid_file(path: str) -> None:
    """Remove a pid file that names no ``twistd``, so that it does not stop the start.

    A file that holds something else than a process id is left alone: it was named by
    mistake.

    :param path: the file; empty if there is to be none.
    """
    if not path:
        return
    try:
        content = Path(path).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return
    if content == "" or (content.isdecimal() and not _is_twistd(int(content))):
        Path(path).unlink(missing_ok=True)


def remove_own_pid_file(twistd: MutableMapping[str, str]) -> None:
    """Remove the pid file of this process, before its end is reported.

    :param twistd: the options of ``twistd``; they name none after that, so that it does not
        remove the file of the next server.
    """
    if twistd["pidfile"]:
        Path(twistd["pidfile"]).unlink(missing_ok=True)
        twistd["pidfile"] = ""


def _is_twistd(pid: int) -> bool:
    """Say whether a process may be another ``twistd``."""
    if pid == os.getpid():
        return False
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        # It has ended, or the system does not say: then twistd decides.
        return True
    return b"twistd" in words
