"""Listening on a UNIX socket, also where a killed process left its own behind.

Twisted keeps a lock beside the socket that names a process id.  After a crash another
process may have that id, always so in a container, and the lock then stops every start.
Here the server tries to connect to the socket: a process that listens on it accepts the
connection; a socket that refuses it is removed.  Two processes that start at the same time take
turns: while one connects and binds, it holds a lock on the folder, which ends with the process.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IStreamServerEndpoint
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.interfaces import IListeningPort, IProtocolFactory

_TURN = 1.0
"""So many seconds a start waits for its turn.  No chatter holds the lock for longer."""


class SocketInUse(CannotListenError):
    """Another process listens on the socket."""

    def __str__(self) -> str:
        return f"Couldn't listen on unix:{self.port}: another process listens there."


@implementer(IStreamServerEndpoint)
class SoleEndpoint:
    """A UNIX endpoint that removes a socket on which nobody listens.

    :param endpoint: listens on the path, without a lock of its own.
    :param path: the path of the socket.
    """

    def __init__(self, endpoint: IStreamServerEndpoint, path: str) -> None:
        self._endpoint = endpoint
        self._path = Path(path)

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:  # noqa: N803
        """Listen; fails with :class:`SocketInUse` if another process does.

        It fails with ``CannotListenError`` if the path can't be bound for another reason.
        """
        return maybeDeferred(self._listen, protocolFactory)

    def _listen(self, factory: IProtocolFactory) -> Deferred[IListeningPort]:
        with _turn(self._path.parent):
            _remove_unused(self._path)
            return self._endpoint.listen(factory)


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder, where that can be had."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        # It is missing, which binding reports, or can't be read.
        yield
        return
    try:
        deadline = time.monotonic() + _TURN
        while not _lock(descriptor) and time.monotonic() < deadline:
            time.sleep(0.001)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Try to get the lock; whether there is nothing to wait for any more."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # The file system has no locks.
        return True
    return True


def _remove_unused(path: Path) -> None:
    """Remove a socket that refuses connections.

    :raises SocketInUse: if it accepts one.
    """
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return
    except (OSError, ValueError):
        # It is missing, or abstract.
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        except BlockingIOError as error:
            # Its backlog is full.
            raise SocketInUse(None, path, error) from error
        except OSError:
            # Binding reports what it is.
            return
        else:
            raise SocketInUse(None, path, None)
