"""Documents that show what happens: their blocks, and a shell in which they happen again."""

from __future__ import annotations

import os
import re
import select
import subprocess
import time
from typing import NamedTuple

from tests.packaging.support import clean_environment

_BLOCK = re.compile(r"(?:<!-- (?P<label>\w+) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)
_TOKEN = re.compile(r"\b[0-9a-f]{64}\b")
_VARIES = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"^\d\d:\d\d ", re.MULTILINE), "HH:MM "),
    (re.compile(r"\b[0-9a-f]{32}\b"), "32 HEXADECIMAL DIGITS"),
    (re.compile(r"^Date: .*$", re.MULTILINE), "Date: DATE"),
    (re.compile(r"^Server: .*$", re.MULTILINE), "Server: SERVER"),
]
_END = "\x1e"


class Block(NamedTuple):
    """A fenced block of a document.

    :ivar label: the comment right before it.
    """

    kind: str
    text: str
    line: int
    label: str | None


def blocks_of(document):
    """All fenced blocks of a document, in order."""
    blocks = []
    for found in _BLOCK.finditer(document):
        line = document.count("\n", 0, found.start()) + 1
        blocks.append(Block(found["kind"], found["text"], line, found["label"]))
    return blocks


class Recording:
    """What differs from one time to the next: tokens, times and ports.

    :param ports: which port to use for each that is in the document.
    """

    def __init__(self, ports):
        self._now = {str(recorded): str(now) for recorded, now in ports.items()}

    def now(self, text):
        """A text of the document, with the tokens and ports of this time."""
        for recorded, now in self._now.items():
            text = text.replace(recorded, now)
        return text

    def is_whole(self, recorded, said):
        """Whether as much is said now as was recorded."""
        return len(_without_times(said)) >= len(_without_times(self.now(recorded)))

    def compare(self, recorded, said):
        """Check that what is said now is what was recorded, and learn its tokens."""
        tokens = zip(_TOKEN.findall(recorded), _TOKEN.findall(said), strict=False)
        self._now.update({old: new for old, new in tokens if old not in self._now})
        assert _without_times(said) == _without_times(self.now(recorded))


def _without_times(text):
    for varies, name in _VARIES:
        text = varies.sub(name, text)
    return text.strip()


class Shell:
    """A shell in which one command is run after the other."""

    def __init__(self, cwd, path):
        environment = clean_environment()
        environment["PATH"] = f"{path}:{environment['PATH']}"
        environment["XDG_STATE_HOME"] = str(path)
        environment["TZ"] = "UTC"
        # What is installed here runs once or twice; to compile all of it would take longer.
        environment["PIP_NO_COMPILE"] = "1"
        self._shell = subprocess.Popen(
            ["/bin/bash"],
            cwd=cwd,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._input = self._shell.stdin
        self._output = self._shell.stdout

    def run(self, command, timeout=300):
        """Run a command that must succeed; returns what it prints."""
        line = f"{{ {command}\n}} < /dev/null; printf '\\036%s\\036' $?\n"
        self._input.write(line.encode())
        self._input.flush()
        said = b""
        deadline = time.monotonic() + timeout
        output = self._output.fileno()
        while said.count(_END.encode()) < 2:
            left = deadline - time.monotonic()
            assert select.select([output], [], [], max(0, left))[0], f"{command} hangs: {said!r}"
            piece = os.read(output, 65536)
            assert piece, f"{command} ended the shell: {said!r}"
            said += piece
        text, status, _ = said.decode().split(_END)
        assert status == "0", f"{command}\n{text}"
        return text

    def close(self):
        """End the shell."""
        self._input.close()
        self._shell.wait(60)
        self._output.close()
