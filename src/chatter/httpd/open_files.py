"""How many files, and so connections, the process may have open."""

from __future__ import annotations

import resource

OTHER_FILES = 200
"""So many are kept free of event streams: for requests, the store, the log."""

_ENOUGH = 1_000_000


def most_connections() -> int:
    """How many connections the limit of open files allows, beside all else."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _ENOUGH
    return max(soft - 3 * OTHER_FILES // 4, soft // 3)


def allow_open_files() -> int:
    """Raise the limit of open files as far as it goes without privileges.

    :returns: the limit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else hard
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _ENOUGH if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
