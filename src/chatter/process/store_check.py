"""Checking the store before the server starts, in the folder and as the user of the server.

``twistd`` changes its root, its folder and its user only after it has parsed its options.
Errors after daemonising are not seen by anybody.  So a short-lived child process takes the
same root, folder and user first, checks the store, and reports the result.
"""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING, Any

from twisted.python.util import switchUID

from chatter.protocol.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chatter.log.interfaces import IChatStoreMaker


def check_store_as_server(maker: IChatStoreMaker, location: str, twistd: Mapping[str, Any]) -> None:
    """See whether the server that ``twistd`` will run can open a store.

    :param maker: the maker of the store; what it needs must be imported already, for
        there may be no way to it from another root.
    :param location: the string that names the store.
    :param twistd: the options of ``twistd``; empty if something else runs the server.
    :raises ValueError: if the location makes no sense.
    :raises StoreUnavailable: if the store can't be opened.
    """
    changes = (twistd.get("chroot"), twistd.get("uid"), twistd.get("gid"))
    if not any(changes) and twistd.get("rundir", ".") == ".":
        maker.check_store(location)
        return
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            os.write(writing, _found(maker, location, twistd).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        found = pipe.read()
    os.waitpid(child, 0)
    kind, _, reason = found.partition(":")
    if kind == ValueError.__name__:
        raise ValueError(reason)
    if kind == StoreUnavailable.__name__:
        raise StoreUnavailable(reason)


def _found(maker: IChatStoreMaker, location: str, twistd: Mapping[str, Any]) -> str:
    """Become the server, and check; what is wrong, as its kind and its text."""
    try:
        _become_the_server(twistd)
    except OSError:
        # twistd will report it.
        return ""
    try:
        maker.check_store(location)
    except ValueError as error:
        return f"{ValueError.__name__}:{error}"
    except Exception as error:  # noqa: BLE001 - the other process reports it
        return f"{StoreUnavailable.__name__}:{error}"
    return ""


def _become_the_server(twistd: Mapping[str, Any]) -> None:
    """Do what ``twistd`` does between its options and the start of the services."""
    uid, gid = twistd["uid"], twistd["gid"]
    if uid is not None and gid is None:
        gid = pwd.getpwuid(uid).pw_gid
    rundir = twistd["rundir"]
    if twistd["chroot"] is not None:
        os.chroot(twistd["chroot"])
        rundir = "/" if rundir == "." else rundir
    os.chdir(rundir)
    if uid is not None or gid is not None:
        switchUID(uid, gid, twistd["euid"])
