"""Store makers that import their store only when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.python.reflect import namedAny
from zope.interface import implementer

from chatter.interfaces import IChatStoreMaker

if TYPE_CHECKING:
    from chatter.interfaces import IChatStore


@implementer(IChatStoreMaker)
class StoreMaker:
    """A plugin for the stores of one scheme.

    :param store: the full name of the store's class.  The class has the two
        methods of the maker, ``make_store`` and ``check_store``, as class methods.
    """

    def __init__(self, scheme: str, example: str, store: str) -> None:
        self.scheme = scheme
        self.example = example
        self._store = store

    def make_store(self, location: str, reactor: Any) -> IChatStore:
        """Make a store that is not yet open."""
        store: IChatStore = namedAny(self._store).make_store(location, reactor)
        return store

    def check_store(self, location: str) -> None:
        """See whether the store could be opened now."""
        namedAny(self._store).check_store(location)
