"""What a client has under way, so that closing the client ends all of it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import CancelledError

from chatter.client.errors import ClientClosed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.internet.defer import Deferred

Value = TypeVar("Value")


class Operation:
    """Something that waits, one thing after the other, and can be closed."""

    def __init__(self) -> None:
        self._is_closed = False
        self._awaited: Deferred[Any] | None = None

    async def wait_for(self, awaited: Deferred[Value]) -> Value:
        """The result of a Deferred.

        :raises ClientClosed: if the operation was closed before.
        """
        self._awaited = awaited
        if self._is_closed:
            awaited.cancel()
        try:
            return await awaited
        except CancelledError:
            if self._is_closed:
                raise ClientClosed from None
            raise
        finally:
            self._awaited = None

    def close(self) -> None:
        """End the wait, and each that would come after it."""
        self._is_closed = True
        if self._awaited is not None:
            self._awaited.cancel()


class Operations:
    """The operations of one client."""

    def __init__(self) -> None:
        self._running: list[Operation] = []

    @contextmanager
    def begun(self) -> Iterator[Operation]:
        """A new operation, which is over at the end of the block."""
        operation = Operation()
        self._running.append(operation)
        try:
            yield operation
        finally:
            self._running.remove(operation)

    def close(self) -> None:
        """End all that is under way; new operations may begin afterwards."""
        for operation in list(self._running):
            operation.close()
