"""The command as an operator runs it."""

from __future__ import annotations

import subprocess
import sys
from typing import NamedTuple

from twisted.internet.threads import deferToThread


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


def run(*words):
    """Run ``chatter-admin`` to its end, in a process of its own."""
    code = "import sys; from chatter.admin.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def succeed(*words):
    """Run it; what it prints."""
    done = run(*words)
    assert (done.status, done.err) == (0, "")
    return done.out


def fail(*words):
    """Run it, which must fail with one line; what it says."""
    done = run(*words)
    assert done.status == 1, done
    assert done.out == ""
    command = words[2] if words[0] in {"--socket", "--store"} else words[0]
    assert done.err.startswith(f"chatter-admin {command}: ")
    assert done.err.count("\n") == 1
    return done.err.partition(": ")[2].rstrip("\n")


def in_thread(function, *words):
    """The same while the reactor runs."""
    return deferToThread(function, *words)
