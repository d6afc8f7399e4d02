"""The values of options, checked before anything runs: what is wrong is one line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chatter.chat.messages.retention import parse_age
from chatter.chat.users.tokens import checked_lifetime
from chatter.process.twistd_service import CannotStart
from chatter.protocol.durations import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta


def check_each(option: str, values: list[str | None], parse: Callable[[str], object]) -> None:
    """See that each value of an option can be parsed; ``None`` stands for one that is not given.

    :raises CannotStart: if not.
    """
    for value in values:
        try:
            if value is not None:
                parse(value)
        except ValueError as error:
            raise CannotStart(f"chatter: --{option} {value!r}: {error}") from error


def optional_number(option: str, value: object, least: int) -> int | None:
    """The number that a value is; ``None`` if there is none.

    :raises CannotStart: if it is no number, or too small.
    """
    return None if value is None else number(option, value, least, 10**9 - 1)


def age(text: str | None) -> timedelta | None:
    """The value of ``--keep``; ``None`` if there is none.

    :raises CannotStart: if messages can't be kept for that time.
    """
    if text is None:
        return None
    try:
        return parse_age(text)
    except ValueError as error:
        raise CannotStart(f"chatter: --keep {text!r}: {error}.") from error


def token_lifetime(text: str | None) -> int | None:
    """The value of ``--token-lifetime``, in seconds; ``None`` if there is none.

    :raises CannotStart: if tokens can't live for that time.
    """
    if text is None:
        return None
    try:
        seconds = parse_duration(text)
        checked_lifetime(seconds)
    except ValueError as error:
        raise CannotStart(f"chatter: --token-lifetime {text!r}: {error}.") from error
    return seconds


def number(option: str, value: object, least: int, most: int) -> int:
    """The number that a value is.

    :raises CannotStart: if it is none, or not between these.
    """
    text = str(value)
    if not re.fullmatch("[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise CannotStart(
            f"chatter: --{option} {text!r}: write a number from {least} to {most}, "
            f"such as --{option} {min(max(50, least), most)}."
        )
    return int(text)
