"""Messages as lines of a terminal that nobody can forge.

What others wrote is shown, never executed: a control character could move the cursor, set
the title or type into the terminal, and an override of the writing direction could make a
line read as something else.  Each becomes a visible mark.

A line says by its form, and by its colours, who says what to whom::

    14:05 alice: hi
    14:05 [alice → you] psst
    14:05 "[carol → you] psst": a user with that name says this to everybody
    14:06 * alice, at 14:05: hello
    14:07 * alice, at 14:05, is withdrawn

The last two are changes of messages that were shown: their star is no part of a name without
quotes.

Every message begins with its time, and every further line of it with blanks.  A name is
one plain word or in quotes, so its end is seen, and no name begins with a bracket.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, TypeAlias

from chatter.protocol.errors import InvalidRequest
from chatter.protocol.model import Edited
from chatter.protocol.names import check, is_invisible
from chatter.protocol.scalars import MAX_NAME
from chatter.terminal.commands import quoted

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from chatter.protocol.model import Change, Message

Line: TypeAlias = "list[tuple[str, str]]"
"""Texts, each with its style: ``class:`` and one of the styles below, or nothing."""

TIME, NAME, TEXT = "class:time", "class:name", "class:text"
PRIVATE, READ = "class:private", "class:read"

INDENT = "      "
"""As wide as a time, so that the lines of one message stand below each other."""

_TURNS_THE_LINE = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CONTROLS = {"Cc", "Cs", "Zl", "Zp"}
_MARK = "\N{REPLACEMENT CHARACTER}"
_TAB = 4
_LONGEST_REMARK = 500


def harmless(text: str) -> str:
    """The text on one line, with a mark for each character that a terminal would obey."""
    return "".join(map(_harmless_character, text.expandtabs(_TAB)))


def remark(text: str) -> str:
    """What a server says about an error, as a line of the terminal's own."""
    return harmless(text if len(text) <= _LONGEST_REMARK else f"{text[:_LONGEST_REMARK]}…")


def shown_name(name: str | None, user_id: int) -> str:
    """A name as it stands in a line; an id with ``#``, which no name has without quotes."""
    if name is None:
        return f"#{user_id}"
    safe = harmless(name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}…")
    try:
        check(safe)
    except InvalidRequest:
        # Not a name that a server gives today: what is invisible may make it look like another.
        safe = "".join(_MARK if is_invisible(character) else character for character in safe)
    return quoted(safe)


def text_of(line: Line) -> str:
    """A line without its styles."""
    return "".join(text for _, text in line)


def line_of(
    message: Message,
    me: int,
    name_of: Callable[[int], str | None],
    now: datetime,
    zone: tzinfo | None = None,
) -> Line:
    """A message as it is shown to one of those who may see it.

    :param me: the id of the user who looks.
    :param name_of: the names of the users in the message, where they are known.
    :param now: what time it is.
    :param zone: the time zone of the reader; without it, that of this machine.
    """

    def named(user_id: int) -> str:
        return "you" if user_id == me else shown_name(name_of(user_id), user_id)

    time = (TIME, f"{time_of(message.sent_at, now, zone)} ")
    text = f"\n{INDENT}".join(map(harmless, message.text.splitlines()))
    if message.recipient_id is None:
        return [
            time,
            (NAME, shown_name(name_of(message.sender_id), message.sender_id)),
            ("", ": "),
            (TEXT, text),
        ]
    return [
        time,
        (PRIVATE, "["),
        (f"{PRIVATE} {NAME}", named(message.sender_id)),
        (PRIVATE, " → "),
        (f"{PRIVATE} {NAME}", named(message.recipient_id)),
        (PRIVATE, "] "),
        (f"{PRIVATE} {TEXT}", text),
    ]


def line_of_change(
    change: Change,
    message: Message,
    me: int,
    name_of: Callable[[int], str | None],
    now: datetime,
    zone: tzinfo | None = None,
) -> Line:
    """A change of a message that was shown, in a line of its own.

    :param message: the message as it is now, or as it was if it was withdrawn.

    For the rest it is as for :func:`line_of`.
    """
    _, *line = line_of(message, me, name_of, now, zone)
    said_at = time_of(message.sent_at, now, zone)
    changed = (TIME, f"{time_of(change.at, now, zone)} * ")
    who, what = line[:-2], line[-1]
    if message.recipient_id is not None:
        who = [*who, (PRIVATE, "]")]
    if isinstance(change, Edited):
        return [changed, *who, (TIME, f", at {said_at}: "), what]
    return [changed, *who, (TIME, f", at {said_at}, is withdrawn")]


def _harmless_character(character: str) -> str:
    if character in _TURNS_THE_LINE or unicodedata.category(character) in _CONTROLS:
        return _MARK
    return character


def time_of(sent_at: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """A time as it stands in a line: without the date if that is today's."""
    try:
        # With the offset of its own date: in November a time of July is still one of summer.
        local = sent_at.astimezone(zone)
    except (OverflowError, ValueError, OSError):
        # The first and the last day that a datetime can have, in some time zones.
        local = sent_at
    if local.date() == now.astimezone(zone).date():
        return f"{local:%H:%M}"
    return f"{local:%Y-%m-%d %H:%M}"


def time_at(seconds: float) -> datetime:
    """The time so many seconds after 1970."""
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)
