"""Checking what came from outside against the types of the protocol.

What is valid stands on the types (:mod:`chatter.protocol.scalars`,
:mod:`chatter.protocol.bodies`, :mod:`chatter.protocol.queries`).  An error says which parameter
or member is wrong, how, and with the type's description what it should be; it never repeats a
value.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import DecodeError, ValidationError, convert, json

from chatter.protocol.errors import InvalidRequest
from chatter.protocol.scalars import MAX_TEXT, IdempotencyKey, Text

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")

_PLACE = re.compile(r" - at `\$\.(\w+)`$")
_TYPES = re.compile(r"^Expected `([^`]+)`, got `(\w+)`")
_MISSING = re.compile(r"^Object missing required field `(\w+)`")

_WRONG = (
    (re.compile(r"^Expected `str` of length <="), "is too long"),
    (re.compile(r"^Expected `str` of length >="), "is empty"),
    (re.compile(r"^Expected `str` matching"), "has the wrong form"),
    (re.compile(r"^Expected `\w+` >="), "is too small"),
    (re.compile(r"^Expected `\w+` <=|^Integer value out of range"), "is too large"),
    (re.compile(r"^Invalid enum value"), "has an unknown value"),
)
"""What msgspec says of a value, and what it means."""

_NUMBERS = {
    "integer": (re.compile(r"-?[0-9]+").fullmatch, "is not an integer"),
    "number": (re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?").fullmatch, "is not a number"),
}
"""What numbers look like in a URL; msgspec would also take 1e2 for the integer 100."""

_ANY_FORM: tuple[Callable[[str], object], str] = (lambda _: True, "")

_NAMES = {
    "array": "an array",
    "bool": "true or false",
    "float": "a number with a fraction",
    "int": "an integer",
    "null": "null",
    "object": "an object",
    "str": "a string",
}


def checked_text(text: str) -> str:
    """Return a text that can be sent.

    :raises InvalidRequest: if it can't.
    """
    # As the type has it, without searching for its pattern.
    if (
        isinstance(text, str)
        and 1 <= len(text) <= MAX_TEXT
        and "\0" not in text
        and not text.isspace()
        and (text.isascii() or _is_unicode(text))
    ):
        return text
    raise InvalidRequest(_sentence("text", "is not valid", _described(Text)[""]))


def _is_unicode(text: str) -> bool:
    """Whether it has no surrogates, which are no characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def checked_key(key: str, of: Any = IdempotencyKey) -> str:
    """Return an idempotency key that can be used.

    :param of: what it has to be; :data:`chatter.protocol.scalars.JoinKey` for joining.
    :raises InvalidRequest: if it can't be used.
    """
    try:
        checked: str = convert(key, of)
    except ValidationError:
        schema = _described(of)[""]
        raise InvalidRequest(_sentence("Idempotency-Key", "is not valid", schema)) from None
    return checked


def checked_value(name: str, value: object, of: Any) -> None:
    """Check an argument of an application against a type.

    :raises InvalidRequest: if it is not valid.
    """
    try:
        convert(value, of)
    except ValidationError as error:
        raise InvalidRequest(_sentence(name, _wrong(str(error)), _described(of)[""])) from None


def checked_query(parameters: dict[str, str], query: type[Value]) -> Value:
    """Make the parameters of a URL a value of the type that describes them.

    :raises InvalidRequest: if they are not valid.
    """
    of: Any = query
    forms = _forms(of)
    for name, value in parameters.items():
        has_form, wrong = forms.get(name, _ANY_FORM)
        if not has_form(value):
            raise InvalidRequest(_sentence(name, wrong, _described(of)[name]))
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
    """What was wrong, in words: msgspec's own speak of Python's types."""
    said = str(error)
    described = _described(of)
    missing = _MISSING.match(said)
    if missing is not None:
        return _sentence(missing[1], "is missing", described.get(missing[1], {}))
    place = _PLACE.search(said)
    if place is None:
        types = _TYPES.match(said)
        got = _NAMES.get(types[2], "something else") if types is not None else "something else"
        return f"The body is {got}, not an object."
    return _sentence(place[1], _wrong(said), described.get(place[1], {}))


def _wrong(said: str) -> str:
    types = _TYPES.match(said)
    if types is not None and types[1] == "null":
        return "does not belong here"
    if types is not None:
        return f"is {_NAMES.get(types[2], 'of another type')}"
    return next((meaning for form, meaning in _WRONG if form.match(said)), "is not valid")


def _sentence(name: str, wrong: str, schema: dict[str, Any] | None) -> str:
    expected = _description(schema or {})
    return f"{name} {wrong}. Expected: {expected[:1].lower()}{expected[1:]}"


@cache
def _described(of: Any) -> dict[str, dict[str, Any]]:
    """The JSON schemas of a type's members, by name, and (by ``""``) of the type itself."""
    (schema,), definitions = json.schema_components([of])
    own = definitions.get(getattr(of, "__name__", ""), schema)
    return {"": own, **own.get("properties", {})}


@cache
def _forms(of: Any) -> dict[str, tuple[Callable[[str], object], str]]:
    """What the parameters of a query look like: a check, and what is wrong if it fails."""
    forms: dict[str, tuple[Callable[[str], object], str]] = {}
    for name, schema in _described(of).items():
        types = [choice.get("type") for choice in _choices(schema)]
        numbers = [_NUMBERS[type_] for type_ in types if type_ in _NUMBERS]
        # msgspec would take the word null for a parameter that is not given, so that a poll
        # after null would be another poll than the one that was meant.
        is_text = types == ["string"]
        other = _ANY_FORM if is_text else (_is_not_null, "has an unknown value")
        forms[name] = numbers[0] if numbers else other
    return forms


def _is_not_null(value: str) -> bool:
    return value.lower() != "null"


def _choices(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [schema, *schema.get("anyOf", [])]


def _description(schema: dict[str, Any]) -> str:
    return next((str(c["description"]) for c in _choices(schema) if "description" in c), "")
