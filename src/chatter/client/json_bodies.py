"""JSON bodies: values encoded for requests, and decoded from responses."""

from __future__ import annotations

from typing import TypeVar

from msgspec import DecodeError, Struct, json

from chatter.protocol.errors import InvalidRequest

Value = TypeVar("Value")


def encoded(body: Struct) -> bytes:
    """A body as JSON.

    :raises InvalidRequest: if it has what is no character.
    """
    try:
        return json.encode(body)
    except UnicodeEncodeError:
        raise InvalidRequest("What is sent has a lone surrogate, which is no character.") from None


def decoded(body: bytes, kind: type[Value]) -> Value | None:
    """The value in the body of a response; ``None`` if it is of another kind."""
    try:
        return json.decode(body, type=kind)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        # The error is not shown: it might quote the response.
        return None
