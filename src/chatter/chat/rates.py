"""Rates: so many in so many seconds, and how that is written."""

from __future__ import annotations

import re

from msgspec import Struct

from chatter.protocol.durations import parse_duration

LARGEST_COUNT = 10_000
LONGEST_WINDOW = 31_536_000


class Rate(Struct, frozen=True):
    """So many in so many seconds.

    :ivar count: how many, from 1 to 10,000.
    :ivar seconds: in how many seconds, from 1 to 31,536,000 (a year).
    :raises ValueError: if one of them is out of range.
    """

    count: int
    seconds: int

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not 1 <= self.count <= LARGEST_COUNT or not 1 <= self.seconds <= LONGEST_WINDOW:
            raise ValueError(
                f"a rate is from 1 to {LARGEST_COUNT} in 1 to {LONGEST_WINDOW} seconds"
            )

    def __str__(self) -> str:
        return f"{self.count}/{self.seconds}"


def parse_rate(text: str) -> Rate:
    """The rate that ``COUNT/TIME`` stands for, such as ``20/3600`` or ``20/1h``.

    :raises ValueError: if it has another form; its text says what is expected.
    """
    match = re.fullmatch("([0-9]{1,9})/(.+)", text)
    if match is None:
        raise ValueError("write COUNT/TIME, such as 3/4h")
    return Rate(int(match[1]), parse_duration(match[2]))
