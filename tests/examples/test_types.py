"""The examples are typed, for those who have neither our settings nor a plugin of zope's."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def programs(tmp_path):
    """The examples, apart from the project, each as a module."""
    for example in EXAMPLES.iterdir():
        if example.suffix in (".py", ".tac"):
            shutil.copy(example, tmp_path / f"{example.stem}.py")
    return tmp_path


def run(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, check=False
    )


def test_mypy_without_a_plugin_is_content(programs):
    """``mypy --strict`` has nothing to say, but of what Twisted leaves without types."""
    (programs / "mypy.ini").write_text("[mypy]\nuntyped_calls_exclude = twisted\n")
    names = sorted(path.name for path in programs.glob("*.py"))
    done = run(programs, "mypy", "--strict", "--config-file", "mypy.ini", *names)
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    # What the examples' own classes inherit from Twisted's.
    untyped = re.compile('untyped function "(Page|Login|assertEqual)"')
    assert [line for line in errors if not untyped.search(line)] == [], done.stderr
    assert len(errors) == 3


@pytest.mark.skipif(shutil.which("node") is None, reason="pyright needs node")
def test_pyright_is_content(programs):
    """Pyright has nothing to say, with its settings as they are."""
    config = {"pythonVersion": "3.10", "include": ["."]}
    (programs / "pyrightconfig.json").write_text(json.dumps(config))
    done = run(programs, "pyright", "--pythonpath", sys.executable)
    assert done.returncode == 0, done.stdout + done.stderr
