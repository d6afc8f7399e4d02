"""Which names users can have, and when two names are the same.

A name shows something, and two names that look the same because of what is invisible
are one name.  So invisible characters (Unicode's ``Default_Ignorable_Code_Point``) never
count when names are compared, and a name has them only where a script or an emoji needs
them: joiners as RFC 5892 allows them (appendices A.1 and A.2) and before a virama, and
the joiners, variation selectors and tags of emoji (UTS #51), ideographs and Mongolian.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256
from typing import TYPE_CHECKING

from precis_i18n import get_profile
from precis_i18n.context import context_rule_error

from chatter.protocol.errors import InvalidRequest
from chatter.protocol.scalars import BLANK_SYMBOLS, MAX_NAME

if TYPE_CHECKING:
    from random import Random

_UNICODE = get_profile("NicknameCasePreserved").base.ucd

_NON_JOINER, _JOINER = "\u200c", "\u200d"
_OF_EMOJI = {"\ufe0e", "\ufe0f"}
_OF_MONGOLIAN = {"\u180b", "\u180c", "\u180d", "\u180e", "\u180f"}
_KEYCAP = "\u20e3"
_EMOJI_THAT_ARE_NO_SYMBOLS = set("\u203c\u2049\u2139\u3030")
_VIRAMA = 9
"""The canonical combining class of the marks that join consonants."""

_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f")
"""The flag of a part of a country: a black flag, and the tags that say of which."""

_ERASED = re.compile("erased-[0-9]+")

AFTER_ALL = "\U0010ffff"
"""No name has it, and it sorts after all that names have: a prefix and it are the end of
what begins with the prefix."""


def check(name: str) -> str:
    """Return the name if a user can have it.

    :raises InvalidRequest: if not.
    """
    if not isinstance(name, str):
        raise InvalidRequest("A name is a string.")
    if not 1 <= len(name) <= MAX_NAME:
        raise InvalidRequest(f"A name has 1 to {MAX_NAME} characters.")
    shown = _without_what_is_needed(name)
    if not shown.isprintable():
        raise InvalidRequest("A name has printable characters only.")
    if any(map(is_invisible, shown)):
        raise InvalidRequest(
            "A name has invisible characters only where its script or an emoji needs them."
        )
    if name != name.strip():
        raise InvalidRequest("A name neither starts nor ends with a blank.")
    if unicodedata.category(name[0]).startswith("M"):
        raise InvalidRequest("A name does not start with a combining mark.")
    if _ERASED.fullmatch(fold(name)):
        raise InvalidRequest("This is the name of a user who has left.")
    return name


def fold(name: str) -> str:
    """The form in which names are compared: two names with the same form are the same name.

    It is Unicode's ``toNFKC_Casefold``, with runs of blanks taken for one
    (`UAX #31 <https://www.unicode.org/reports/tr31/#NFKC_Modifications>`_,
    `RFC 8266 <https://www.rfc-editor.org/rfc/rfc8266#section-2.1>`_).
    """
    if name.isascii():
        return _with_single_blanks(name.lower())
    visible = "".join(
        " " if character in BLANK_SYMBOLS else character
        for character in name
        if not _UNICODE.default_ignorable(ord(character))
    )
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())
    return _with_single_blanks(folded)


def is_invisible(character: str) -> bool:
    """Whether a character shows nothing, wherever it stands; blanks are another matter."""
    return character in BLANK_SYMBOLS or _UNICODE.default_ignorable(ord(character))


def erased(user_id: int) -> str:
    """The name of a user who has left for good; nobody else can have it."""
    return f"erased-{user_id}"


def is_erased(name: str, user_id: int) -> bool:
    """Whether a name shows that the user with an id has left for good."""
    return name == erased(user_id)


def digest(folded_name: str) -> bytes:
    """What is kept of the name of a user who has left for good: a SHA-256."""
    return sha256(folded_name.encode()).digest()


def suggest(random: Random) -> str:
    """A name for a user who gave none."""
    return f"guest-{random.getrandbits(40):010x}"


def _with_single_blanks(name: str) -> str:
    return " ".join(filter(None, name.split(" ")))


def _without_what_is_needed(name: str) -> str:
    """The name without the invisible characters that stand where they are needed."""
    name = _FLAG.sub("\U0001f3f4", name)
    return "".join(
        character
        for at, character in enumerate(name)
        if not (is_invisible(character) and _is_needed(name, at))
    )


def _is_needed(name: str, at: int) -> bool:
    """Whether the invisible character there does what it is made for."""
    character, before, after = name[at], name[at - 1 : at], name[at + 1 : at + 2]
    if not before:
        return False
    if character in (_NON_JOINER, _JOINER):
        return (
            not context_rule_error(name, at, _UNICODE)
            or _joins_a_virama(before, after)
            or (character == _JOINER and _joins_emoji(name[:at], after))
        )
    if character in _OF_EMOJI:
        return (
            _is_symbol(before)
            or before in _EMOJI_THAT_ARE_NO_SYMBOLS
            or (before in "0123456789#*" and after == _KEYCAP)
        )
    if character in _OF_MONGOLIAN:
        return "\u1820" <= before <= "\u18aa"
    return _selects_a_variant(character) and _UNICODE.hiragana_katakana_han_script(ord(before))


def _joins_a_virama(before: str, after: str) -> bool:
    """Whether it is as in Bengali, where the joiner comes first: a letter, it, a virama."""
    is_letter = unicodedata.category(before) == "Lo"
    return bool(after) and is_letter and unicodedata.combining(after) == _VIRAMA


def _joins_emoji(before: str, after: str) -> bool:
    """Whether there is an emoji on both sides: one of several, like a family."""
    return _is_symbol(before.rstrip("".join(_OF_EMOJI))[-1:]) and _is_symbol(after)


def _is_symbol(character: str) -> bool:
    return bool(character) and unicodedata.category(character).startswith("S")


def _selects_a_variant(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0d" or "\U000e0100" <= character <= "\U000e01ef"
