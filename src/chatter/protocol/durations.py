"""Durations as operators write them."""

from __future__ import annotations

import re

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str) -> int:
    """The seconds in ``90s``, ``30m``, ``12h`` or ``7d``; a bare number is seconds, too.

    :raises ValueError: if it has another form; its text says which.
    """
    match = re.fullmatch("([0-9]{1,9})([smhd]?)", text)
    if match is None:
        raise ValueError("write a number and s, m, h or d, such as 30d for 30 days")
    return int(match[1]) * _UNITS[match[2]]
