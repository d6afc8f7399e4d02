"""What a typed line means: a text for everybody, or a command.

A private text must never become public by a mistake that nobody sees.  So whatever has a
slash as its first visible character is a command or a mistake, but never a text: behind
blanks, a byte order mark, characters without width or control sequences, and also where
the slash is another one that looks like it.  What only a carriage return
separates from a command before it is a command or a mistake, too.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TypeAlias

from msgspec import Struct

from chatter.protocol.durations import parse_duration
from chatter.protocol.moderation import Action
from chatter.protocol.names import fold, is_invisible

COMMANDS = {
    "/msg": ("/msg NAME TEXT", 'a private message; a name with blanks goes in "quotes"'),
    "/edit": ("/edit TEXT", "gives your last message another text"),
    "/withdraw": ("/withdraw", "takes your last message back, for everybody"),
    "/report": ("/report NAME [REASON]", "shows the moderators the last message of NAME"),
    "/history": ("/history [NAME]", "older messages, of all or of you two; again: still older"),
    "/more": ("/more", "the last message that was shortened, all of it"),
    "/who": ("/who", "who is online"),
    "/mute": ("/mute NAME [TIME]", "for moderators: NAME reads only, for 90s, 10m, 4h or 7d"),
    "/unmute": ("/unmute NAME", "for moderators"),
    "/ban": ("/ban NAME [TIME]", "for moderators: NAME can't use the chat, for so long"),
    "/unban": ("/unban NAME", "for moderators"),
    "/reports": ("/reports", "for moderators: what was reported"),
    "/help": ("/help", "this list"),
    "/quit": ("/quit", "leave; so does Ctrl-D"),
}
"""Each command, how it is used, and what it does."""

HELP = [
    *(f"{usage:<21} {what}" for usage, what in COMMANDS.values()),
    f"{'//TEXT':<21} says /TEXT to everybody",
    f"{'anything else':<21} is said to everybody",
]

BEHIND_A_COMMAND = "\r"
"""A line begins with it if nothing else separates it from a command before it."""

_QUOTED = r'"((?:[^"\\]|\\.)+)"'
_NAME = re.compile(rf'(?:{_QUOTED}|([^\s"]\S*))', re.DOTALL)
_NAME_AND_REST = re.compile(rf"{_NAME.pattern}(?:\s+(.*\S))?", re.DOTALL)
_NAME_AND_TEXT = re.compile(rf"{_NAME.pattern}\s+(.*\S)", re.DOTALL)

_BYTE_ORDER_MARK = "\ufeff"
_SLASHES = "/\uff0f"
_LOOK_LIKE_SLASHES = "\u2044\u2215\u2571\u29f8"
_NOT_VISIBLE = {"Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"}
_MARKS = {"Mn", "Me"}

# A control sequence of ECMA-48, as programs with coloured output write them: CSI, OSC and
# the like, and other escapes.  And what a byte that is no UTF-8 has become.
_UNSEEN = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]+[0-~]|\x1b[0-Z\\^-~]"
    rf"|\ufffd+(?=[{_SLASHES}])"
)

_OF_WORDS = set("LMN")
_IN_WORDS = set("-_.'\u2019")
_SKIN_TONES = set("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")


class Say(Struct, frozen=True):
    """Say it to everybody."""

    text: str


class SayTo(Struct, frozen=True):
    """Say it to one user alone."""

    name: str
    text: str


class Edit(Struct, frozen=True):
    """Give the user's last message another text."""

    text: str


class Withdraw(Struct, frozen=True):
    """Withdraw the user's last message."""


class Report(Struct, frozen=True):
    """Show the moderators the last message of a user."""

    name: str
    reason: str


class Moderate(Struct, frozen=True):
    """Mute or ban a user, or end that.

    :ivar seconds: for how long; ``None`` is without an end.
    """

    action: Action
    name: str
    seconds: int | None = None


class ShowReports(Struct, frozen=True):
    """Show what was reported."""


class History(Struct, frozen=True):
    """Show older messages of the general chat, or of the private chat with a user."""

    name: str | None = None


class More(Struct, frozen=True):
    """Show all of the last message that was shortened."""


class Who(Struct, frozen=True):
    """List who is online."""


class Help(Struct, frozen=True):
    """List the commands."""


class Quit(Struct, frozen=True):
    """Leave."""


class Mistake(Struct, frozen=True):
    """A line that is no text and no command.

    :ivar detail: what is wrong, for the person who typed it.
    """

    detail: str


Command: TypeAlias = (
    "Say | SayTo | Edit | Withdraw | Report | Moderate | ShowReports | History | More | Who | Help"
    " | Quit | Mistake"
)

_ACTIONS: dict[str, Action] = {
    "/mute": "mute",
    "/unmute": "unmute",
    "/ban": "ban",
    "/unban": "unban",
}

_WITHOUT_ARGUMENTS: dict[str, Command] = {
    "/reports": ShowReports(),
    "/more": More(),
    "/who": Who(),
    "/help": Help(),
    "/quit": Quit(),
}


def parse(line: str) -> Command | None:
    """What a line means; ``None`` for one that shows nothing."""
    command = _parse(line)
    if line.startswith(BEHIND_A_COMMAND) and isinstance(command, (Say, Edit)):
        return Mistake(
            "Only a carriage return separates this from a command before it, so it may be a part "
            "of that: it is not said. Write it in a line of its own."
        )
    return command


def quoted(name: str) -> str:
    """A name in the form that ``/msg`` takes: in quotes, unless it is one plain word.

    So nothing in a name can be taken for what stands around it.  ``you`` is in quotes,
    because without them it is the person who reads; and so is a word of several scripts,
    which may look like it.
    """
    is_word = bool(name) and all(map(_is_of_a_word, name))
    if is_word and fold(name) != "you" and not _mixes_scripts(name):
        return name
    return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'


def _mixes_scripts(name: str) -> bool:
    """Whether letters of the Latin alphabet stand beside others."""
    letters = [character for character in name if character.isalpha()]
    latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    return 0 < latin < len(letters)


def _parse(line: str) -> Command | None:
    text = line.rstrip().lstrip(_BYTE_ORDER_MARK)
    start = _first_visible(text)
    if start is None:
        has_marks = any(unicodedata.category(character) in _MARKS for character in text)
        return Say(text) if has_marks else None
    if text[start] in _LOOK_LIKE_SLASHES:
        return Mistake(f"A command starts with /, and this with {text[start]}.")
    if text[start] not in _SLASHES:
        return Say(text)
    if text[start + 1 : start + 2] in tuple(_SLASHES):
        # A comment in source code that was pasted keeps both, as it keeps its indentation.
        return Say(text if text[:start].isspace() else f"/{text[start + 2 :]}")
    return _parse_command(text[start:])


def _first_visible(text: str) -> int | None:
    at = 0
    while at < len(text):
        unseen = _UNSEEN.match(text, at)
        if unseen is not None:
            at = unseen.end()
        elif unicodedata.category(text[at]) in _NOT_VISIBLE or is_invisible(text[at]):
            at += 1
        else:
            return at
    return None


def _parse_command(text: str) -> Command:
    word, *rest = text.split(maxsplit=1)
    arguments = rest[0] if rest else ""
    command = fold(word)
    if command in _ACTIONS:
        return _parse_act(command, arguments)
    parse_arguments = _WITH_ARGUMENTS.get(command)
    if parse_arguments is not None:
        return parse_arguments(arguments)
    unknown = Mistake(f"There is no {word}. /help lists the commands; //TEXT says /TEXT.")
    return _WITHOUT_ARGUMENTS.get(command, unknown)


def _parse_msg(arguments: str) -> Command:
    found = _NAME_AND_TEXT.fullmatch(arguments)
    if found is None:
        return Mistake('It is /msg NAME TEXT; a name with blanks goes in "quotes".')
    in_quotes, bare, text = found.groups()
    return SayTo(_name(in_quotes, bare), text)


def _parse_edit(arguments: str) -> Command:
    return Edit(arguments) if arguments else Mistake("It is /edit TEXT.")


def _parse_withdraw(arguments: str) -> Command:
    # It takes back the last message only, whatever was meant.
    return Mistake("It is /withdraw, for your last message.") if arguments else Withdraw()


def _parse_report(arguments: str) -> Command:
    found = _NAME_AND_REST.fullmatch(arguments)
    if found is None:
        return Mistake('It is /report NAME [REASON]; a name with blanks goes in "quotes".')
    in_quotes, bare, reason = found.groups()
    return Report(_name(in_quotes, bare), reason or "")


def _parse_act(command: str, arguments: str) -> Command:
    found = _NAME_AND_REST.fullmatch(arguments)
    action = _ACTIONS[command]
    seconds = _seconds(found[3]) if found and found[3] else None
    ends = action in ("unmute", "unban")
    if found is None or (found[3] and (ends or seconds is None)):
        usage, _ = COMMANDS[command]
        about_time = "" if ends else "; a TIME is 10m or 4h"
        return Mistake(f'It is {usage}; a name with blanks goes in "quotes"{about_time}.')
    return Moderate(action, _name(found[1], found[2]), seconds)


def _seconds(time: str) -> int | None:
    """The seconds of a TIME, which has a unit; ``None`` if it is none."""
    try:
        seconds = parse_duration(time) if time[-1].isalpha() else 0
    except ValueError:
        return None
    return seconds or None


def _parse_history(arguments: str) -> Command:
    if not arguments:
        return History()
    found = _NAME.fullmatch(arguments)
    if found is None:
        return Mistake('It is /history or /history NAME; a name with blanks goes in "quotes".')
    return History(_name(*found.groups()))


_WITH_ARGUMENTS = {
    "/msg": _parse_msg,
    "/edit": _parse_edit,
    "/withdraw": _parse_withdraw,
    "/report": _parse_report,
    "/history": _parse_history,
}


def _name(in_quotes: str | None, bare: str) -> str:
    return bare if in_quotes is None else re.sub(r"\\(.)", r"\1", in_quotes)


def _is_of_a_word(character: str) -> bool:
    category = unicodedata.category(character)
    return (
        category[0] in _OF_WORDS
        or category == "So"
        or character in _IN_WORDS
        or character in _SKIN_TONES
        or is_invisible(character)
    )
