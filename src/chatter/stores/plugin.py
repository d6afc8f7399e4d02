"""Store makers that import their store only when it is needed."""

from __future__ import annotations

from importlib.metadata import requires
from typing import TYPE_CHECKING, Any

from twisted.python.reflect import namedAny
from zope.interface import implementer

from chatter.log.interfaces import IChatStoreMaker
from chatter.protocol.errors import StoreUnavailable

if TYPE_CHECKING:
    from chatter.log.interfaces import IChatStore


@implementer(IChatStoreMaker)
class StoreMaker:
    """A plugin for the stores of one scheme.

    :param store: the full name of the store's class.  The class has the two
        methods of the maker, ``make_store`` and ``check_store``, as class methods.
    :param extra: what else of chatter has to be installed for it, if anything.
    """

    def __init__(self, scheme: str, example: str, store: str, extra: str | None = None) -> None:
        self.scheme = scheme
        self.example = example
        self._store = store
        self._extra = extra

    def make_store(self, location: str, reactor: Any) -> IChatStore:
        """Make a store that is not yet open."""
        store: IChatStore = self._store_class().make_store(location, reactor)
        return store

    def check_store(self, location: str) -> None:
        """See whether the store could be opened now."""
        self._store_class().check_store(location)

    def _store_class(self) -> Any:
        try:
            return namedAny(self._store)
        except ImportError as error:
            if self._extra is None:
                raise
            raise StoreUnavailable(
                f"The store {self.scheme}: needs more to be installed ({error}). In a checkout: "
                f"pip install {_needed_for(self._extra)}; else: "
                f"pip install 'chatter-server[{self._extra}]'."
            ) from error


def _needed_for(extra: str) -> str:
    """What an extra installs, as pip takes it."""
    found = [requirement.partition(";") for requirement in requires("chatter-server") or ()]
    return " ".join(
        f"'{needed.strip()}'" for needed, _, marker in found if f"extra == '{extra}'" in marker
    )
