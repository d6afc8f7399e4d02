"""What the operating system says of a server: its memory, its open files."""

from __future__ import annotations

import os
import resource
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from chatter.httpd.open_files import allow_open_files

if not Path("/proc/self/statm").exists():
    pytest.skip("this system has no /proc", allow_module_level=True)


def resident_bytes(server):
    """How much memory a server has now."""
    pages = Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def open_files(server):
    """What a server has open, as the system names it: ``socket:[4711]``, paths."""
    names = []
    for descriptor in Path(f"/proc/{server.process.pid}/fd").iterdir():
        # It may have been closed meanwhile.
        with suppress(OSError):
            names.append(str(descriptor.readlink()))
    return names


def wait_for_no_connections(server, seconds=60.0):
    """Wait until a server has nothing left but the socket that it listens on."""
    end = time.monotonic() + seconds
    while (left := sum(name.startswith("socket:") for name in open_files(server)) - 1) > 0:
        assert time.monotonic() < end, f"{left} connections are still open"
        time.sleep(0.02)


@contextmanager
def many_open_files(wanted):
    """Let this process have so many, as long as it lasts."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allow_open_files() < wanted:
        pytest.skip(f"{wanted} open files are not allowed here")
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
