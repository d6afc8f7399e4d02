"""What the tests of the packaging share: a copy of the project, and commands run in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]

_NOT_OURS = shutil.ignore_patterns(
    *(".git", ".venv*", "node_modules", "var", "dist", "build"),
    *(".*_cache", ".hypothesis", "__pycache__", "*.cache"),
)

# As root, "can't write" is only true without the powers over files that root has.
_WITHOUT_POWERS = """
import ctypes, os, sys
for power in (1, 2, 3):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER
    if ctypes.CDLL(None).prctl(24, power, 0, 0, 0):  # PR_CAPBSET_DROP
        sys.exit("prctl failed")
os.execv(sys.argv[1], sys.argv[1:])
"""


def copy_of_the_project(folder):
    """Copy the project, without what tools left in it."""
    return Path(shutil.copytree(ROOT, folder, ignore=_NOT_OURS))


def unprivileged(*command):
    """A command that can't write what is read-only, whoever runs it."""
    if os.geteuid() == 0:
        command = (sys.executable, "-c", _WITHOUT_POWERS, *command)
    return command


def clean_environment():
    """The environment, without what an enclosing make or virtual environment set."""
    ours = ("MAKE", "MFLAGS", "PYTHON", "PYTEST", "VIRTUAL_ENV", "XDG_STATE_HOME")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def run(*command, cwd, timeout=300, said_to_it=""):
    """Run a command to its end; what it reads and prints is text."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=clean_environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        input=said_to_it,
        timeout=timeout,
        check=False,
    )


def succeed(*command, cwd, **more):
    """Run a command that must succeed; returns what it prints."""
    done = run(*command, cwd=cwd, **more)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}"
    return done.stdout


def call(url, method="GET"):
    """The status and the body of a response; ``None`` if there is none."""
    target = urlsplit(url)
    connection = HTTPConnection(target.hostname, target.port, timeout=60)
    try:
        connection.request(method, target.path)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


@contextmanager
def server(command, url, cwd):
    """Run a server while the block runs, and end it with SIGTERM."""
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=cwd,
        env=clean_environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        deadline = time.monotonic() + 60
        while call(f"{url}/health") is None:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "The server does not respond."
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=60)
        finally:
            process.kill()
