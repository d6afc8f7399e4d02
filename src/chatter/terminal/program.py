"""``chatter``, from its first moment: nothing is loaded before Ctrl-C can end it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.interrupts import end_at_interrupt

if TYPE_CHECKING:
    from typing import NoReturn


def run() -> NoReturn:
    """Load the program and run it."""
    end_at_interrupt()
    from chatter.terminal.main import main  # noqa: PLC0415 - this is what takes long

    main()
