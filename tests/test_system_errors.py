"""What the system says of an error, in its own words."""

from __future__ import annotations

import pytest
from twisted.internet.error import CannotListenError

from chatter.httpd.unix_sockets import SocketInUse
from chatter.system_errors import reason_of

FULL = OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            FileNotFoundError(2, "No such file or directory", "/chat"),
            "/chat: No such file",
        ),
        (
            FileNotFoundError(2, "No such file or directory", b"/chat"),
            "/chat: No such file",
        ),
        (FULL, "No space left on device"),
        (PermissionError("no file can be made in /chat"), "no file can be made in /chat"),
        (ValueError("It is wrong."), "It is wrong."),
        (
            CannotListenError("127.0.0.1", 80, FULL),
            "Couldn't listen on 127.0.0.1:80: No space",
        ),
        (CannotListenError("", 80, FULL), "Couldn't listen on any:80: No space"),
        (CannotListenError(None, b"/chat", FULL), "Couldn't listen on unix:/chat: No space"),
        (
            SocketInUse(None, "/chat", None),
            "Couldn't listen on unix:/chat: another process",
        ),
    ],
)
def test_it_is_what_it_is_about_and_why(error, reason):
    """No number and no quotes of Python's are in it."""
    said = reason_of(error)
    assert said.startswith(reason)
    assert "Errno" not in said
