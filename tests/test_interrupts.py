"""Ctrl-C while a program is loaded, and after that."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

LOADING = """
import signal, sys

class Loading:
    \"\"\"Ctrl-C comes when this module is looked for.\"\"\"

    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Loading())
from {program} import run
run()
"""


@pytest.mark.parametrize(
    ("program", "module"),
    [
        ("chatter.terminal.program", "prompt_toolkit"),
        ("chatter.admin.program", "chatter.admin.backup"),
    ],
)
def test_an_interrupt_while_a_program_is_loaded(program, module):
    """It ends as any program does, without a traceback."""
    code = LOADING.format(program=program, module=module)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


@pytest.mark.parametrize("at_first", ["default_int_handler", "SIG_IGN"])
def test_what_becomes_of_an_interrupt_when_it_is_loaded(at_first):
    """It is handled as Python does it, or still ignored where it was."""
    code = f"""
import signal
from chatter.interrupts import end_at_interrupt, handle_interrupts
signal.signal(signal.SIGINT, signal.{at_first})
end_at_interrupt()
handle_interrupts()
assert signal.getsignal(signal.SIGINT) is signal.{at_first}
"""
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)
