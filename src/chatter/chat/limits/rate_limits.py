"""How much one user, and one address, may request of a chat: names, defaults, and their notation.

The defaults stop floods.  A person does not notice them, nor does a class of thirty who
join at once from behind one address.
"""

from __future__ import annotations

import re

from msgspec import Struct

from chatter.chat.rates import LARGEST_COUNT, Rate, parse_rate


class RateLimits(Struct, frozen=True, kw_only=True):
    """The limits of one chat.  ``None`` is no limit.

    All but ``general`` allow ``count`` at once, which come back evenly, ``count`` in
    ``seconds``.  ``general`` is exact: never more than ``count`` within any ``seconds``.

    :ivar send: messages of a user, general and private together.
    :ivar general: messages of a user to the general chat.
    :ivar edit: edits and withdrawals of a user, together.
    :ivar stranger: private messages of a user to people who have never written to the user.
    :ivar report: reports of a user.
    :ivar device: tokens that a user makes or revokes, together.
    :ivar stream: event streams that a user opens.
    :ivar waiting: how many polls of a user may wait at the same time.
    :ivar join: requests to join, from an address.
    :ivar token: unknown tokens, from an address.
    :ivar connection: connections that are made, from an address.
    """

    send: Rate | None = Rate(30, 30)
    general: Rate | None = None
    edit: Rate | None = Rate(30, 30)
    stranger: Rate | None = Rate(60, 3600)
    report: Rate | None = Rate(30, 3600)
    device: Rate | None = Rate(60, 3600)
    stream: Rate | None = Rate(240, 60)
    waiting: int | None = 32
    join: Rate | None = Rate(100, 3600)
    token: Rate | None = Rate(100, 600)
    connection: Rate | None = Rate(600, 60)


DEFAULT_LIMITS = RateLimits()

NO_LIMITS = RateLimits(**dict.fromkeys(RateLimits.__struct_fields__))
"""Nothing is limited."""


def shown_limits(limits: RateLimits) -> list[str]:
    """The limits in the notation that :func:`parse_limits` takes."""
    shown = {name: getattr(limits, name) for name in RateLimits.__struct_fields__}
    return [f"{name}={'none' if value is None else value}" for name, value in shown.items()]


def parse_limits(texts: list[str]) -> RateLimits:
    """The defaults, as changed by some of ``NAME=COUNT/TIME``, ``NAME=none`` and ``none``.

    Later ones count; ``none`` switches off all before it.

    :raises ValueError: if one has another form; its text says what is expected.
    """
    limits = {name: getattr(DEFAULT_LIMITS, name) for name in RateLimits.__struct_fields__}
    for text in texts:
        if text == "none":
            limits = dict.fromkeys(limits)
            continue
        name, _, value = text.partition("=")
        if name not in limits or not value:
            raise ValueError(
                "write NAME=COUNT/TIME, NAME=none or none; NAME is one of "
                f"{', '.join(limits)}. Example: general=20/3600"
            )
        if value == "none":
            limits[name] = None
        elif name == "waiting":
            limits[name] = _parse_waiting(value)
        else:
            limits[name] = parse_rate(value)
    return RateLimits(**limits)


def _parse_waiting(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text) or not 1 <= int(text) <= LARGEST_COUNT:
        raise ValueError("how many polls may wait at once is a number: waiting=32")
    return int(text)
