"""Coroutines that were begun by hand.

Most requests are answered from memory, without waiting for anything.  A coroutine
that ends at its first step needs no Deferred, which would cost more than all that
it does.  One that has to wait is handed on as it stands.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

Value = TypeVar("Value")


@types.coroutine
def resumed(coroutine: Coroutine[Any, Any, Value], waits_for: Any) -> Generator[Any, Any, Value]:
    """Await a coroutine that has been begun, and waits for something."""
    while True:
        try:
            try:
                result = yield waits_for
            except BaseException as error:  # noqa: BLE001 - it is the coroutine's to handle
                waits_for = coroutine.throw(error)
            else:
                waits_for = coroutine.send(result)
        except StopIteration as done:
            value: Value = done.value
            return value
