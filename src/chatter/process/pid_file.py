"""A pid file that a killed server left behind.

``twistd`` refuses to start when a process has the id in its pid file, whichever it is.
After a crash that may be any other process, and in a container it is often this one.
"""

from __future__ import annotations

import os
from pathlib import Path


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
