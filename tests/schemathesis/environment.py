"""An environment of its own for schemathesis, which wants other packages than we do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
FOLDER = Path(sys.prefix) / "schemathesis"


def schemathesis() -> Path:
    """The command, installed if it is not there yet in the version that is wanted."""
    wanted = REQUIREMENTS.read_text()
    installed = FOLDER / REQUIREMENTS.name
    if not installed.exists() or installed.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", FOLDER], check=True)
        pip = [str(FOLDER / "bin" / "python"), "-m", "pip", "--quiet"]
        subprocess.run([*pip, "install", "-r", str(REQUIREMENTS)], check=True)
        # Written last: an installation that was interrupted is begun again.
        installed.write_text(wanted)
    return FOLDER / "bin" / "st"
