"""Twisted's service, with types for the methods that it leaves without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.application.service import Service

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


class TypedService(Service):
    """A service that strict type checkers let an application attach and detach."""

    if TYPE_CHECKING:

        def setServiceParent(self, parent: Any) -> None:
            """Become part of an application or of another service."""

        def disownServiceParent(self) -> Deferred[None] | None:
            """Leave it, and stop; fires once the service has stopped."""
