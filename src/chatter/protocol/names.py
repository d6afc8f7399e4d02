"""Which names users can have, and when two names are the same."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from chatter.protocol.errors import InvalidRequest
from chatter.protocol.model import MAX_NAME

if TYPE_CHECKING:
    from random import Random


def check(name: str) -> str:
    """Return the name if a user can have it.

    :raises InvalidRequest: if not.
    """
    if not 1 <= len(name) <= MAX_NAME:
        raise InvalidRequest(f"A name has 1 to {MAX_NAME} characters.")
    if not name.isprintable():
        raise InvalidRequest("A name has printable characters only.")
    if name != name.strip():
        raise InvalidRequest("A name neither starts nor ends with a blank.")
    return name


def fold(name: str) -> str:
    """The form in which names are compared: Unicode's ``toNFKC_Casefold``.

    Two names with the same form are the same name
    (`UAX #31 <https://www.unicode.org/reports/tr31/#NFKC_Modifications>`_).
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def suggest(random: Random) -> str:
    """A name for somebody who gave none."""
    return f"guest-{random.getrandbits(40):010x}"
