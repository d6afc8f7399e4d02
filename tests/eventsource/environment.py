"""What a stream is followed with: node's ``eventsource``, and a browser."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).with_name("package.json")
FOLDER = Path(sys.prefix) / "eventsource"


def node_with_eventsource() -> list[str]:
    """How to run a script that finds the package, which is installed if it is not there yet."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are missing")
    wanted = PACKAGE.read_text()
    installed = FOLDER / "installed.json"
    if not installed.exists() or installed.read_text() != wanted:
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir()
        shutil.copy(PACKAGE, FOLDER)
        command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock"]
        subprocess.run(command, cwd=FOLDER, check=True, timeout=120)
        # Written last: an installation that was interrupted is begun again.
        installed.write_text(wanted)
    return [node, str(Path(__file__).with_name("follow.js")), str(FOLDER)]


def chromium() -> str:
    """Where the browser is."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("chromium is missing")
    return found
