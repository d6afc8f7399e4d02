"""Which stores there are, and how one is chosen.

A store is chosen by its location, a string such as ``sqlite:chatter.sqlite``.  What
stands before the colon is looked up among Twisted's plugins, ours and any other's.
"""

from __future__ import annotations

import re
from typing import Any

from twisted.plugin import getPlugins

from chatter.log.interfaces import IChatStoreMaker

# As far as it could reach: who forgets to quote a character of a password shall not see it.
_PASSWORDS = (
    (re.compile(r"(?<=://)([^:@]*):.*@", re.DOTALL), r"\1:***@"),
    (re.compile(r"(?<=password=)[^&]*"), "***"),
)


def makers() -> list[IChatStoreMaker]:
    """All kinds of stores that are installed, by their scheme."""
    return sorted(getPlugins(IChatStoreMaker), key=lambda maker: maker.scheme)


def maker_of(location: str) -> IChatStoreMaker:
    """The maker of the store that a string names.

    :raises ValueError: if no installed store has that scheme.
    """
    scheme = location.partition(":")[0]
    installed = makers()
    for maker in installed:
        if maker.scheme == scheme:
            return maker
    known = ", ".join(maker.example for maker in installed)
    raise ValueError(f"There is no store {without_password(location)!r}; there are: {known}.")


def make_store(location: str, reactor: Any) -> Any:
    """Make the store that a string names, an ``IChatStore`` provider; it is not yet open.

    :raises ValueError: if no installed store has that scheme, or the location
        makes no sense.
    """
    return maker_of(location).make_store(location, reactor)


def check_store(location: str) -> None:
    """See, without a reactor, whether the store that a string names can be opened.

    :raises ValueError: as :func:`make_store` does.
    :raises StoreUnavailable: if it can't be opened; its detail says why.
    """
    maker_of(location).check_store(location)


def without_password(location: str) -> str:
    """A string that names a store, as it may be shown."""
    for password, shown in _PASSWORDS:
        location = password.sub(shown, location)
    return location
