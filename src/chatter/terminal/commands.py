"""What a typed line asks for."""

from __future__ import annotations

import re
from typing import TypeAlias

from msgspec import Struct

COMMANDS = {
    "/msg": ("/msg NAME TEXT", 'a private message; a name with blanks goes in "quotes"'),
    "/who": ("/who", "who is online"),
    "/help": ("/help", "this list"),
    "/quit": ("/quit", "leave; so does Ctrl-D"),
}
"""Each command, how it is used, and what it does."""

HELP = [
    *(f"{usage:<16} {what}" for usage, what in COMMANDS.values()),
    f"{'//TEXT':<16} says /TEXT to everybody",
    f"{'anything else':<16} is said to everybody",
]

_NAME_AND_TEXT = re.compile(r'(?:"((?:[^"\\]|\\.)+)"|([^\s"]\S*))\s+(.*\S)', re.DOTALL)


class Say(Struct, frozen=True):
    """Say it to everybody."""

    text: str


class SayTo(Struct, frozen=True):
    """Say it to one user alone."""

    name: str
    text: str


class Who(Struct, frozen=True):
    """List who is online."""


class Help(Struct, frozen=True):
    """List the commands."""


class Quit(Struct, frozen=True):
    """Leave."""


class Mistake(Struct, frozen=True):
    """It asks for nothing that there is.

    :ivar detail: what is wrong, for the person who typed it.
    """

    detail: str


Command: TypeAlias = "Say | SayTo | Who | Help | Quit | Mistake"

_WITHOUT_ARGUMENTS: dict[str, Command] = {"/who": Who(), "/help": Help(), "/quit": Quit()}


def parse(line: str) -> Command | None:
    """What a line asks for; ``None`` for a blank one."""
    line = line.strip()
    if not line:
        return None
    if line.startswith("//"):
        return Say(line[1:])
    if not line.startswith("/"):
        return Say(line)
    command, *rest = line.split(maxsplit=1)
    if command == "/msg":
        return _parse_msg(rest[0] if rest else "")
    unknown = Mistake(f"There is no {command}. /help lists the commands; //TEXT says /TEXT.")
    return _WITHOUT_ARGUMENTS.get(command, unknown)


def quoted(name: str) -> str:
    """A name in the form that ``/msg`` takes."""
    if " " not in name and not name.startswith('"'):
        return name
    return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'


def _parse_msg(arguments: str) -> Command:
    found = _NAME_AND_TEXT.fullmatch(arguments)
    if found is None:
        return Mistake('It is /msg NAME TEXT; a name with blanks goes in "quotes".')
    in_quotes, bare, text = found.groups()
    return SayTo(bare if in_quotes is None else re.sub(r"\\(.)", r"\1", in_quotes), text)
