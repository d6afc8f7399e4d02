"""Ctrl-C while a program is loaded, which takes a second on a slow machine.

Then it ends the program as it ends any other, and not with the traceback of an import.
"""

from __future__ import annotations

import signal


def end_at_interrupt() -> None:
    """Have SIGINT end the process at once, unless whoever has started it has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def handle_interrupts() -> None:
    """Have SIGINT raise ``KeyboardInterrupt`` again, which programs and reactors handle."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
