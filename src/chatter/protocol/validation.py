"""Checking what came from outside against the types of the protocol.

What is valid stands on the types (:mod:`chatter.protocol.model`,
:mod:`chatter.protocol.bodies`).  Their descriptions are the words of the errors.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, TypeVar

from msgspec import DecodeError, ValidationError, convert, json

from chatter.protocol.errors import InvalidRequest
from chatter.protocol.model import MAX_TEXT, IdempotencyKey, Text

Value = TypeVar("Value")

_FIELD = re.compile(r" - at `\$\.(\w+)`$")


def checked_text(text: str) -> str:
    """Return a text that can be sent.

    :raises InvalidRequest: if it can't.
    """
    # As the type has it, without searching for its pattern.
    if (
        1 <= len(text) <= MAX_TEXT
        and "\0" not in text
        and not text.isspace()
        and (text.isascii() or _is_unicode(text))
    ):
        return text
    raise InvalidRequest(f"text: {_descriptions(Text)['']}")


def _is_unicode(text: str) -> bool:
    """Whether it has no surrogates, which are no characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def checked_key(key: str) -> str:
    """Return an idempotency key that can be used.

    :raises InvalidRequest: if it can't.
    """
    try:
        return convert(key, IdempotencyKey)
    except ValidationError:
        raise InvalidRequest(f"Idempotency-Key: {_descriptions(IdempotencyKey)['']}") from None


def checked_query(parameters: dict[str, str], query: type[Value]) -> Value:
    """Make the parameters of a URL a value of the type that describes them.

    :raises InvalidRequest: if they are not valid.
    """
    for name, value in parameters.items():
        # msgspec would take the word for a parameter that is not given, so that a poll
        # after null would be another poll than the one that was meant.
        if value.lower() == "null" and (description := _description_of(name, query)):
            raise InvalidRequest(f"{name}: {description}")
    try:
        return convert(parameters, query, strict=False)
    except ValidationError as error:
        raise InvalidRequest(_explained(error, query)) from None


def checked_body(body: bytes, decoder: json.Decoder[Value]) -> Value:
    """Make a JSON body a value of the decoder's type.

    :raises InvalidRequest: if it is not valid.
    """
    try:
        return decoder.decode(body)
    except ValidationError as error:
        raise InvalidRequest(_explained(error, decoder.type)) from None
    except (DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest("The body is not valid JSON in UTF-8.") from None


def _explained(error: ValidationError, of: Any) -> str:
    field = _FIELD.search(str(error))
    if field is None:
        return f"{error}."
    description = _description_of(field[1], of)
    return f"{field[1]}: {description}" if description else f"{error}."


def _description_of(field: str, of: Any) -> str | None:
    return _descriptions(of).get(field)


@cache
def _descriptions(of: Any) -> dict[str, str]:
    """The descriptions in a type: of its fields, or (by ``""``) of the type itself."""
    (schema,), definitions = json.schema_components([of])
    own = definitions.get(getattr(of, "__name__", ""), schema)
    described = {"": own.get("description", "")}
    for name, field in own.get("properties", {}).items():
        described[name] = _description(field)
    return described


def _description(field: dict[str, Any]) -> str:
    choices = [field, *field.get("anyOf", [])]
    return next((str(c["description"]) for c in choices if "description" in c), "")
