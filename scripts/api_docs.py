"""What ``make docs`` tells pydoctor, which makes the documentation of the API.

pydoctor reads the source and imports nothing.  So it takes some things for mistakes that
are none; they are left out here, and every other warning ends ``make docs``.
"""

from __future__ import annotations

from typing import Any

from pydoctor import model

_NO_MISTAKES = (
    # A description in an Annotated type is a text, and not the name of a type.
    "syntax error in annotation:",
    "syntax error in type alias:",
    # IChatStore extends an interface of Twisted, whose source pydoctor does not read.
    '"chatter.log.interfaces.IChatStore" is not an interface',
    '"chatter.log.interfaces.IChatStoreMaker" is not an interface',
    # Twisted shows the docstring of an option's method, and this one has a default in it.
    "Unable to figure out value for __doc__ assignment",
)


class System(model.System):  # type: ignore[misc]  # pydoctor has no types
    """The packages that pydoctor documents, and its warnings."""

    def msg(self, section: str, msg: str, *args: Any, **options: Any) -> None:
        """Print a message, unless it warns of what is no mistake."""
        if not any(text in msg for text in _NO_MISTAKES):
            super().msg(section, msg, *args, **options)
