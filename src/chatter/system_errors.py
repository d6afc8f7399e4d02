"""What the system says of an error, in its own words: without Python's numbers and quotes."""

from __future__ import annotations

import os

from twisted.internet.error import CannotListenError


def reason_of(error: BaseException) -> str:
    """What an error says, in a line for people; of the system's it is what they are about, and why.

    ``/chat: No such file or directory``, and not ``[Errno 2] No such file or directory: '/chat'``.
    """
    if type(error) is CannotListenError:
        at = error.port if isinstance(error.port, int) else os.fsdecode(error.port)
        place = f"unix:{at}" if isinstance(at, str) else f"{error.interface or 'any'}:{at}"
        return f"Couldn't listen on {place}: {reason_of(error.socketError)}."
    if isinstance(error, OSError) and error.strerror:
        about = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        return f"{about}{error.strerror}"
    return str(error)
