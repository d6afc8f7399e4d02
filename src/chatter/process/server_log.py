"""The log of ``twistd``, which can be reopened for logrotate and by signals.

Twisted opens its log itself and gives no access to it.  So the file is opened here
instead, as Twisted would, and given to the application as its log observer.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.python.logfile import LogFile as RotatedFile

from chatter.httpd.log_file import LogFile

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEFAULT = "twistd.log"


class ServerLog(LogFile):
    """The log of the server, which begins a new file at a million bytes, as Twisted's does.

    :param path: the file.
    """

    def __init__(self, path: Path) -> None:
        # The server may change its folder later on.
        super().__init__(partial(RotatedFile.fromFullPath, str(path.absolute())))

    def rotate(self) -> None:
        """Rename the file by a number, and go on in a new one."""
        self._file.rotate()


def server_log(twistd: Mapping[str, Any]) -> ServerLog | None:
    """Open the log that the options of ``twistd`` choose.

    :param twistd: the options.
    :returns: ``None`` if the log is no file.
    :raises OSError: if it can't be opened.
    """
    path = twistd["logfile"]
    is_daemon = not (twistd["nodaemon"] or twistd["debug"])
    if twistd["logger"] or twistd["syslog"] or path == "-" or not (path or is_daemon):
        return None
    return ServerLog(Path(path or _DEFAULT))
