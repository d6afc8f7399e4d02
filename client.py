"""The terminal client from a checkout, without installing it: ``python client.py [URL]``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "src"))

from chatter.interrupts import end_at_interrupt

end_at_interrupt()
try:
    from chatter.terminal.main import main
except ModuleNotFoundError as error:
    if str(error.name).startswith("chatter"):
        raise
    # A folder of the checkout is called twisted: without Twisted, Python takes that for it.
    sys.exit(
        f"client.py: this Python does not have what chatter needs ({error.name}). "
        "Run `make client`, or .venv/bin/python client.py once that has made .venv."
    )

if __name__ == "__main__":
    main()
