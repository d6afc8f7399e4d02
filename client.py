"""The terminal client from a checkout, without installing it: ``python client.py [URL]``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "src"))

from chatter.terminal.main import main

if __name__ == "__main__":
    main()
