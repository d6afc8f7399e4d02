"""Commands whose standard streams are closed, or take nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ADMIN = shutil.which("chatter-admin", path=str(Path(sys.executable).parent)) or "chatter-admin"
CLIENT = str(Path(__file__).parents[1] / "client.py")

LOOK = """
import os, sys
from chatter.standard_streams import open_standard_streams
open_standard_streams()
with open(sys.argv[1], "w") as file:
    print("is lost")
    print("is lost, too", file=sys.stderr, flush=True)
    print(file.fileno() > 2, repr(sys.stdin.read()), os.read(0, 9), file=file)
"""


def run(redirected, *command):
    """Run a command, with its streams as a shell has them."""
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirected}', "sh", *command],
        capture_output=True,
        text=True,
        input="",
        check=False,
    )


def test_what_is_closed_brings_nothing_and_takes_everything(tmp_path):
    """And no file that is opened later gets its number."""
    done = run("<&- >&- 2>&-", sys.executable, "-c", LOOK, str(tmp_path / "seen"))
    assert done.returncode == 0
    assert (tmp_path / "seen").read_text() == "True '' b''\n"


@pytest.mark.parametrize("command", [(ADMIN, "--help"), (sys.executable, CLIENT, "--help")])
def test_the_commands_need_no_standard_output(command):
    """Without it nobody sees anything, and that is all."""
    done = run(">&-", *command)
    assert (done.returncode, done.stderr) == (0, "")
